import ArgumentParser
import Broker
import Events
import Fleet

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Decode entries of a Redis stream.",
        discussion: """
            weir inspect 'firehose_live:{3}'                    the newest entries of a work stream
            weir inspect 'firehose_live:{3}' 1767225600000-0    one of them
            weir inspect 'label_live:{3}'                       what labelers sent
            weir inspect 'run:{firehose/3}' --count 1           of an outlet

            Reads redis.url, or the Redis of a `weir up` in the data folder.
            """)
    @OptionGroup var common: CommonOptions

    @Argument(help: "The stream's key.")
    var stream: String

    @Argument(help: "An entry's id; default: the newest ones.")
    var id: String?

    @Option(help: ArgumentHelp("How many entries, 1 to 1000.", valueName: "number"))
    var count = 5

    @Option(help: ArgumentHelp("The data folder of a `weir up` (also WEIR_DATA).", valueName: "folder"))
    var data: String?

    @Flag(help: "Print one JSON object an entry.")
    var json = false

    func validate() throws {
        guard (1...1000).contains(count) else { throw ValidationError("--count: 1 to 1000 is allowed") }
        if let id, EntryID(id) == nil { throw ValidationError("\(id) is no id of an entry: milliseconds-sequence is") }
    }

    func run() async throws {
        var configuration = try common.load()
        if configuration.redisURL == nil, let local = LocalAddresses(folder: DataFolderOption.path(data)) {
            try configuration.set("redis.url", to: local.redisURL, by: "weir inspect")
        }
        let entries: [StreamEntry]
        do {
            entries = try await StreamInspection.entries(configuration, stream: stream, id: id.flatMap { EntryID($0) }, count: count)
        } catch let error as BrokerError {
            throw Failure("\(error)", code: error.code == .unavailable ? ExitCodes.notReady : ExitCodes.failed)
        }
        if entries.isEmpty { throw Failure(id == nil ? "\(stream) is empty, or there is no such stream" : "\(stream) has no entry \(id ?? "")") }
        for entry in entries {
            let report = EntryReport(entry)
            if json { Console.print(report.json()) } else { report.lines().forEach(Console.print) }
        }
    }
}
