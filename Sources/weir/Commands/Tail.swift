import ArgumentParser
import Events
import Fleet
import Foundation

struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a run, all of the firehose, or all labels.",
        discussion: """
            weir tail firehose                        all shards, from now
            weir tail firehose/3 --from 0             one shard's log, from its first event
            weir tail backfill/relay.example          how a host's backfill goes, as a bar in a terminal
            weir tail labels                          labels of all shards, from now
            weir tail labels/3 --from 0               one shard's labels
            weir tail orders/7 --type 'order.*'       what an application appends to a run of its own
            weir tail firehose --collection 'app.bsky.feed.*' --format jetstream

            In a terminal an event is one short line; elsewhere, and with --json, it is the JSON that the API sent. After a lost connection it
            goes on where it was. Ends when the run ends.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions

    @Argument(help: "`firehose` or `labels` for all shards, or a run such as firehose/3 or labels/3.")
    var topic: String

    @Option(help: ArgumentHelp("A run: events after this seq. All shards: earliest, or a cursor. Default: from now.", valueName: "seq"))
    var from: String?

    @Option(help: "weir, jetstream or tap.")
    var format: String?

    @Option(help: ArgumentHelp("Only these collections; app.bsky.feed.* for all below. Repeatable.", valueName: "nsid"))
    var collection: [String] = []

    @Option(help: ArgumentHelp("Only these accounts. Repeatable.", valueName: "did"))
    var did: [String] = []

    @Option(help: ArgumentHelp("Only these kinds: record, identity, account, sync, label, event. Repeatable.", valueName: "kind"))
    var kind: [String] = []

    @Option(help: ArgumentHelp("Of an application's events only these types; order.* for all below. Repeatable.", valueName: "type"))
    var type: [String] = []

    @Option(help: ArgumentHelp("End after so many events.", valueName: "number"))
    var count: Int?

    @Flag(help: "Print the JSON as it came, also in a terminal.")
    var json = false

    func run() async throws {
        let client = try server.client(common)
        let path = try path(await start(client))
        let isPlain = json || format != nil || !Console.outputIsTerminal
        let line = EventLine(isPlain: isPlain)
        var bar = isBackfill && !isPlain && Console.errorIsTerminal ? BackfillBar(topic) : nil
        var lastID = ""
        var left = count ?? .max
        var failures = 0
        while true {
            do {
                let before = left
                let parser = try await client.follow(path, lastID: lastID) { event in
                    lastID = event.id
                    if bar == nil { Console.print(line.text(event)) }
                    bar?.show(event)
                    left -= 1
                    return left > 0
                }
                guard left > 0, let parser else { return }
                lastID = parser.lastID.isEmpty ? lastID : parser.lastID
                failures = left < before ? 0 : failures + 1
                try await Task.sleep(for: max(parser.retry ?? .seconds(1), .milliseconds(100)) * min(failures + 1, 10))
            } catch let error as APIClientError {
                guard error.code == .unreachable, !lastID.isEmpty, failures < 20 else {
                    throw Failure(error.message, code: error.code == .unreachable ? ExitCodes.notReady : ExitCodes.failed)
                }
                failures += 1
                Console.complain("weir: \(error.message); trying again")
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// All shards of a log, merged.
    private var isMerged: Bool { LiveLog(rawValue: topic) != nil }

    /// A run is followed from now on by asking for what it has: the API itself begins at the first event.
    private func start(_ client: APIClient) async throws -> String? {
        if let from { return from }
        guard !isMerged else { return nil }
        let answer = try await client.get("/runs/\(Self.encoded(topic))")
        guard answer.status == 200 else {
            throw Failure("there is no run \(topic) (the API answers \(answer.status))")
        }
        guard let run = JSONTree(answer.body), let last = run["lastSeq"]?.integer ?? run["last_seq"]?.integer else { return nil }
        // Of a backfill the last progress is worth seeing at once, also where the terminal event stands behind it.
        return "\(isBackfill ? max(0, last - 2) : last)"
    }

    private var isBackfill: Bool { topic.hasPrefix("backfill/") }

    private func path(_ from: String?) throws -> String {
        var query: [(String, String)] = []
        if let from { query.append((isMerged ? "cursor" : "fromSeq", from)) }
        if let format { query.append(("format", format)) }
        query += collection.map { ("collections", $0) } + did.map { ("dids", $0) } + kind.map { ("kinds", $0) } + type.map { ("type", $0) }
        let text = query.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
        let resource = isMerged ? "/streams/\(topic)" : "/runs/\(Self.encoded(topic))/stream"
        return resource + (text.isEmpty ? "" : "?\(text)")
    }

    /// Everything but what is plain in a path is percent-encoded; a run's slash stays.
    static func encoded(_ text: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~/:*")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}
