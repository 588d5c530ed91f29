import ArgumentParser
import Events
import Fleet

struct DeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq",
        abstract: "Look at what was given up, and say what becomes of it.",
        discussion: """
            weir dlq                list: events that sinks refused, and repositories that could not be fetched
            weir dlq show 17        with the event
            weir dlq requeue 17     offer the event again; where its run waits for it, the run goes on
            weir dlq skip 17        leave it undelivered for good; where its run waits for it, the run goes on behind it
            """,
        subcommands: [LettersList.self, LettersShow.self, LettersRequeue.self, LettersSkip.self], defaultSubcommand: LettersList.self)
}

struct LettersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Newest first.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions
    @Option(help: ArgumentHelp("Only of this sink.", valueName: "name")) var sink: String?
    @Option(help: ArgumentHelp("Only those below this id.", valueName: "id")) var before: Int64?
    @Option(help: ArgumentHelp("At most so many, 1 to 1000.", valueName: "number")) var limit: Int = 100
    @Flag(help: "Also those that were skipped.") var skipped = false
    @Flag(help: "Print the API's JSON.") var json = false

    func validate() throws {
        if let sink, SinkName(sink) == nil { throw ValidationError("\(Terminal.safe(sink)) is no sink's name: \(SinkName.allowed)") }
        if !(1...1000).contains(limit) { throw ValidationError("--limit: 1 to 1000 is allowed") }
    }

    func run() async throws {
        let client = try server.client(common)
        var path = "/dlq?limit=\(limit)"
        if let sink { path += "&sink=\(Tail.encoded(sink))" }
        if let before { path += "&before=\(before)" }
        if skipped { path += "&skipped=true" }
        let ready = path
        let (status, body) = try await APIAnswer.asked { try await client.get(ready) }
        guard status == 200 else { throw APIAnswer.failure(status, body) }
        if json { return Console.print(String(decoding: body, as: UTF8.self)) }
        guard let page = JSONTree(body), let letters = page["letters"]?.items else { throw Failure("the API's answer is not JSON") }
        if letters.isEmpty { return Console.print("there are no dead letters") }
        var table = TextTable([.number("id"), .text("of"), .text("event"), .text("state"), .number("tries"), .text("since"), .text("error")])
        for letter in letters { table.rows.append(Self.row(letter)) }
        for line in table.lines() { Console.print(line) }
        if let next = page["before"]?.integer { Console.complain("there may be more: --before \(next)") }
    }

    private static func row(_ letter: JSONTree) -> [String] {
        func text(_ name: String) -> String { Terminal.safe(letter[name]?.text ?? "") }
        let event = letter["seq"]?.integer.map { "\(text("run")) \($0)" } ?? text("queue")
        return [
            "\(letter["id"]?.integer ?? 0)", letter["sink"] == nil ? text("did") : text("sink"), event, text("state"),
            "\(letter["attempts"]?.integer ?? 0)", text("dead_at"), String(text("error").prefix(80)),
        ]
    }
}

struct LettersShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "One, with its event, as JSON.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions
    @Argument(help: "Its id.") var id: Int64

    func run() async throws {
        let client = try server.client(common)
        let (status, body) = try await APIAnswer.asked { try await client.get("/dlq/\(id)") }
        guard status == 200 else { throw APIAnswer.failure(status, body) }
        Console.print(String(decoding: body, as: UTF8.self))
    }
}

struct LettersRequeue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "requeue", abstract: "Offer events again.")
    @OptionGroup var order: SinkOrder
    @Argument(help: "Their ids.") var ids: [Int64]
    func run() async throws { for id in ids { try await order.send("POST", "/dlq/\(id)/requeue") } }
}

struct LettersSkip: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "skip", abstract: "Leave events undelivered for good.")
    @OptionGroup var order: SinkOrder
    @Argument(help: "Their ids.") var ids: [Int64]
    func run() async throws { for id in ids { try await order.send("POST", "/dlq/\(id)/skip") } }
}
