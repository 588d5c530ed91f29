import Events
import TestSupport
import Testing

@Suite("Strangers' filters and names")
struct FuzzFilterTests {
    private let corpus = [
        "app.bsky.feed.post", "app.bsky.*", "*", "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "record", "create", "firehose/3", "1:44", "1526919030474-55",
        "a/b:c_d.e-f",
    ].map { Array($0.utf8) }

    @Test("a filter is one or names the value that is wrong, and a pattern takes only what lies below its dot")
    func filters() throws {
        try FuzzRun("filters", inputs: 20_000)(ByteMutator(corpus: corpus, tokens: FuzzTokens.text, bytesMax: 4_096)) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else { return .refused }
            var accepted = false
            for lists in [(c: [text], d: [], k: [], a: []), ([], [text], [], []), ([], [], [text], []), ([], [], [], [text])]
                as [(c: [String], d: [String], k: [String], a: [String])]
            {
                do throws(EventFilterError) {
                    _ = try EventFilter(collections: lists.c, dids: lists.d, kinds: lists.k, actions: lists.a)
                    accepted = true
                } catch {
                    if error.given.utf8.count > 4 * 128 { return .broken("repeats \(error.given.utf8.count) bytes of what was given") }
                }
            }
            if let pattern = CollectionPattern(text) {
                guard pattern.description.utf8.elementsEqual(text.utf8) else { return .broken("pattern \(pattern)") }
                let stem = text.hasSuffix("*") ? String(text.dropLast()) : text
                guard pattern.matches(text.hasSuffix("*") ? stem + "x" : text) else { return .broken("\(pattern) does not take what it names") }
                guard text == "*" || !pattern.matches("zz." + stem) else { return .broken("\(pattern) takes what lies elsewhere") }
            }
            return accepted ? .accepted : .refused
        }
    }

    @Test("run ids and positions: what reads writes itself so that it reads as the same")
    func names() throws {
        try FuzzRun("run ids and positions", inputs: 20_000)(ByteMutator(corpus: corpus, tokens: FuzzTokens.text, bytesMax: 1_024)) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else { return .refused }
            if let position = Position(text), position.seq < 0 || position.epoch < 0 || Position(position.description) != position {
                return .broken("\(position)")
            }
            if let id = EntryID(text), EntryID(id.description) != id { return .broken("\(id)") }
            guard let run = RunID(text) else { return .refused }
            guard run.description == text, (1...256).contains(bytes.count) else { return .broken("\(run)") }
            if let shard = run.firehoseShard, RunID.firehose(shard) != run { return .broken("\(run) passes for shard \(shard)") }
            return .accepted
        }
    }
}
