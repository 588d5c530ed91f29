import ATProto
import ArgumentParser
import Events
import Fleet
import Foundation

/// Which repositories a change names, and how they are told to the API: in calls of ``callMax`` at most, in order.
struct ScopeChangeOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions

    @Argument(help: ArgumentHelp("The repositories' DIDs; - reads them from standard input.", valueName: "did"))
    var dids: [String] = []

    @Option(help: ArgumentHelp("A file with one DID a line; blank lines and those that begin with # say nothing.", valueName: "file"))
    var file: String?

    @Flag(help: "Print the API's JSON, one line a call.")
    var json = false

    static let callMax = 1000
    /// What became of each is told up to so many, the counts always.
    static let toldMax = 50
    private static let triesMax = 5

    func validate() throws {
        if dids.isEmpty, file == nil { throw ValidationError("which repositories? Name DIDs, or --file, or - for standard input") }
        guard dids.count(where: { $0 == "-" }) <= 1 else { throw ValidationError("standard input can be read once only") }
        for did in dids where did != "-" { try Self.check(did) }
    }

    static func check(_ did: String) throws {
        guard Syntax.isDID(did) else {
            throw ValidationError("\(Terminal.safe(did.excerpt(scalars: 80))) is no DID; allowed: did:plc:… or did:web:…")
        }
    }

    func run(_ path: String) async throws {
        var sender = Sender(client: try server.client(common), path: path, json: json)
        for did in dids where did != "-" { try await sender.add([did]) }
        if dids.contains("-") { try await read(FileHandle.standardInput, "standard input", &sender) }
        if let file {
            guard let handle = FileHandle(forReadingAtPath: file) else { throw Failure("cannot read \(file)", code: ExitCodes.usage) }
            defer { try? handle.close() }
            try await read(handle, file, &sender)
        }
        try await sender.end()
    }

    private func read(_ handle: FileHandle, _ name: String, _ sender: inout Sender) async throws {
        var lines = DIDLines()
        do {
            while let bytes = try handle.read(upToCount: 64 << 10), !bytes.isEmpty { try await sender.add(try lines.read(bytes)) }
            if let last = try lines.end() { try await sender.add([last]) }
        } catch let wrong as DIDLines.Wrong {
            throw Failure("\(name), \(Terminal.safe(wrong.description)); \(sender.told) were sent before it", code: ExitCodes.usage)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("cannot read \(name): \(error.localizedDescription)")
        }
    }

    /// Collects DIDs and sends them when there are enough.
    private struct Sender {
        let client: APIClient
        let path: String
        let json: Bool
        private(set) var told = 0
        private var waiting: [String] = []
        private var counts: [String: Int64] = [:]
        private var results: [(did: String, result: String)] = []

        init(client: APIClient, path: String, json: Bool) {
            self.client = client
            self.path = path
            self.json = json
        }

        mutating func add(_ dids: [String]) async throws {
            waiting += dids
            while waiting.count >= ScopeChangeOptions.callMax {
                try await send(Array(waiting.prefix(ScopeChangeOptions.callMax)))
                waiting.removeFirst(ScopeChangeOptions.callMax)
            }
        }

        /// Sends the rest and says what came of all.
        mutating func end() async throws {
            if !waiting.isEmpty { try await send(waiting) }
            guard !json else { return }
            if told <= ScopeChangeOptions.toldMax { for one in results { Console.print("\(Terminal.safe(one.did))  \(Terminal.safe(one.result))") } }
            let sums = counts.sorted { $0.key < $1.key }.map { "\($0.value) \(Terminal.safe($0.key))" }
            Console.print(sums.isEmpty ? "no DIDs were given" : sums.joined(separator: ", "))
        }

        private mutating func send(_ dids: [String]) async throws {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("dids")
            writer.beginArray()
            for did in dids { writer.value(did) }
            writer.endArray()
            writer.endObject()
            let body = try await answer(writer.take())
            told += dids.count
            if json { return Console.print(String(decoding: body, as: UTF8.self)) }
            guard let tree = JSONTree(body) else { throw Failure("the API's answer is not JSON") }
            for (name, count) in tree["counts"]?.members ?? [] { counts[name, default: 0] += count.integer ?? 0 }
            guard told <= ScopeChangeOptions.toldMax else { return results = [] }
            results += (tree["results"]?.items ?? []).map { ($0["did"]?.text ?? "", $0["result"]?.text ?? "") }
        }

        /// A ledger or a server that is busy is asked again a few times: a repeated change does no harm.
        private func answer(_ json: [UInt8]) async throws -> [UInt8] {
            var tries = 1
            while true {
                let (status, body) = try await APIAnswer.asked { try await client.send(path, json: json) }
                if status == 200 { return body }
                guard status == 503, tries < ScopeChangeOptions.triesMax else { throw APIAnswer.failure(status, body, told: told) }
                tries += 1
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
