import ArgumentParser
import Events
import Fleet

struct Sinks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at sinks, make them, and say what they shall do.",
        discussion: """
            weir sinks                                                     all of them: state, since, lag, backlog, rate, last error, next retry
            weir sinks add audit kind=webhook url=https://example.com/in   settings as in the configuration file (the page Sinks)
            weir sinks pause audit, resume, reset                          reset: halted runs go on where they stand, breakers close
            weir sinks rewind audit --to earliest --run orders/17          deliver again from there
            """,
        subcommands: [
            SinksList.self, SinksShow.self, SinksAdd.self, SinksRemove.self, SinksPause.self, SinksResume.self, SinksReset.self, SinksRewind.self,
        ],
        defaultSubcommand: SinksList.self)
}

struct SinksList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Every sink, a line each.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions
    @Flag(help: "Print the API's JSON.") var json = false

    func run() async throws {
        let client = try server.client(common)
        let (status, body) = try await APIAnswer.asked { try await client.get("/sinks") }
        guard status == 200 else { throw APIAnswer.failure(status, body) }
        if json { return Console.print(String(decoding: body, as: UTF8.self)) }
        guard let sinks = JSONTree(body)?["sinks"]?.items else { throw Failure("the API's answer is not JSON") }
        if sinks.isEmpty { return Console.print("there are no sinks; weir sinks add, or sinks: in the configuration file") }
        for line in SinkReport.table(sinks).lines() { Console.print(line) }
    }
}

struct SinksShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Everything that is known of a sink.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions
    @Argument(help: "The sink's name.") var name: String
    @Flag(help: "Print the API's JSON.") var json = false

    func run() async throws {
        let client = try server.client(common)
        let (status, body) = try await APIAnswer.asked { try await client.get("/sinks/\(Tail.encoded(name))") }
        guard status == 200 else { throw APIAnswer.failure(status, body) }
        if json { return Console.print(String(decoding: body, as: UTF8.self)) }
        guard let sink = JSONTree(body) else { throw Failure("the API's answer is not JSON") }
        for line in SinkReport(tree: sink).lines() { Console.print(line) }
    }
}

struct SinksAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make a sink.", discussion: "A setting with commas in it is a list.")
    @OptionGroup var order: SinkOrder
    @Argument(help: "The sink's name.") var name: String
    @Argument(help: ArgumentHelp("What it is: kind=webhook url=… filter.collections=app.bsky.feed.*", valueName: "setting=value"))
    var settings: [String] = []
    @Flag(help: "Change a sink that is there.") var replace = false

    func validate() throws {
        for setting in settings where !setting.contains("=") { throw ValidationError("\(setting): setting=value is allowed, as kind=webhook") }
    }

    func run() async throws {
        var json = JSONWriter()
        json.beginObject()
        json.member("name", name)
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            json.key(dynamic: String(parts[0]))
            json.value(String(parts[1]))
        }
        json.endObject()
        try await order.send("POST", "/sinks" + (replace ? "?replace=true" : ""), json.take())
    }
}

struct SinksRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a sink with its cursors and dead letters. One of the configuration file comes back with the next start.")
    @OptionGroup var order: SinkOrder
    @Argument(help: "The sink's name.") var name: String
    func run() async throws { try await order.send("DELETE", "/sinks/\(Tail.encoded(name))") }
}

struct SinksPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "pause", abstract: "Deliver nothing more until it is resumed.")
    @OptionGroup var order: SinkOrder
    @Argument(help: "The sink's name.") var name: String
    func run() async throws { try await order.send("POST", "/sinks/\(Tail.encoded(name))/pause") }
}

struct SinksResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Deliver again, from where it stands.")
    @OptionGroup var order: SinkOrder
    @Argument(help: "The sink's name.") var name: String
    func run() async throws { try await order.send("POST", "/sinks/\(Tail.encoded(name))/resume") }
}

struct SinksReset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Let halted and failing runs go on where they stand, at once, and close breakers.")
    @OptionGroup var order: SinkOrder
    @Argument(help: "The sink's name.") var name: String
    @Option(help: ArgumentHelp("Only this run.", valueName: "id")) var run: String?

    func validate() throws { try SinkOrder.check(run: run) }

    func run() async throws { try await order.send("POST", "/sinks/\(Tail.encoded(name))/reset", SinkOrder.body(run: run)) }
}

struct SinksRewind: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewind", abstract: "Set cursors: what is behind them is delivered again, what is before them is left out.")
    @OptionGroup var order: SinkOrder
    @Argument(help: "The sink's name.") var name: String
    @Option(help: ArgumentHelp("earliest, now, or a seq.", valueName: "where")) var to: String
    @Option(help: ArgumentHelp("Only this run.", valueName: "id")) var run: String?

    func validate() throws {
        try SinkOrder.check(run: run)
        if SinkStart(to) == nil { throw ValidationError("--to: earliest, now, or a seq from 1 on is allowed") }
    }

    func run() async throws { try await order.send("POST", "/sinks/\(Tail.encoded(name))/rewind", SinkOrder.body(run: run, to: to)) }
}
