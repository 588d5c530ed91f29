import ArgumentParser
import Events
import Fleet
import Foundation

struct Runs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create runs, append to them, end them, and look at them.",
        discussion: """
            weir runs create --kind order --id orders/7          a log of its own; without --id the made one is printed
            weir runs append orders/7 order.paid '{"n":1}'       one event; --key, --key-seq and --dedup-key as the API has them
            weir runs append orders/7 - < events.ndjson          one event a line, in calls of a thousand
            weir runs show orders/7                              where it stands; weir runs list --state started
            weir runs finish orders/7                            its last event; weir runs cancel where its application is gone
            weir tail orders/7 --from 0                          follow it

            Asks the API: with a token (--token, WEIR_API_TOKEN) of the scope append, or without tokens on loopback.
            """,
        subcommands: [RunsList.self, RunsShow.self, RunsCreate.self, RunsAppend.self, RunsFinish.self, RunsCancel.self])
}

struct RunsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List runs in order of their ids.", discussion: "With --json one line of JSON a page, as the API sent it.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions

    @Option(help: ArgumentHelp("Only those in this state: started, finished, cancelled, failed.", valueName: "state"))
    var state: String?

    @Option(help: ArgumentHelp("Only those of this kind.", valueName: "kind"))
    var kind: String?

    @Option(help: ArgumentHelp("Only those behind this one.", valueName: "id"))
    var after: String?

    @Option(help: ArgumentHelp("End after so many.", valueName: "number"))
    var limit: Int = 100

    @Flag(help: "Print the API's JSON.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit: 1 or more is allowed") }
        if let after { try RunOptions.check(after) }
    }

    func run() async throws {
        let client = try server.client(common)
        var table = TextTable([.text("id"), .text("kind"), .text("state"), .number("last seq"), .number("published"), .text("last event")])
        var (left, next) = (limit, after)
        repeat {
            let (status, body) = try await APIAnswer.asked { try await client.get(path(min(left, 1000), next)) }
            guard status == 200 else { throw APIAnswer.failure(status, body) }
            guard let page = JSONTree(body) else { throw Failure("the API's answer is not JSON") }
            let runs = page["runs"]?.items ?? []
            left -= runs.count
            next = page["cursor"]?.text
            if json { Console.print(String(decoding: body, as: UTF8.self)) } else { table.rows += runs.map(RunReport.row) }
        } while left > 0 && next != nil
        if !json { for line in table.lines() { Console.print(line) } }
        if let next { Console.complain("there may be more: --after \(Terminal.safe(next))") }
    }

    private func path(_ limit: Int, _ after: String?) -> String {
        var path = "/runs?limit=\(limit)"
        if let state { path += "&state=\(Tail.encoded(state))" }
        if let kind { path += "&kind=\(Tail.encoded(kind))" }
        if let after { path += "&cursor=\(Tail.encoded(after))" }
        return path
    }
}

struct RunsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show where a run stands, or the latest event of each of its keys.")
    @OptionGroup var run: RunOptions

    @Flag(help: "The latest event of each key, one JSON object a line, in order of (key_seq, key).")
    var snapshot = false

    func run() async throws {
        if snapshot { return try await printSnapshot() }
        let body = try await run.get("")
        if run.json { return Console.print(String(decoding: body, as: UTF8.self)) }
        guard let tree = JSONTree(body) else { throw Failure("the API's answer is not JSON") }
        for line in RunReport(tree: tree).lines() { Console.print(line) }
    }

    private func printSnapshot() async throws {
        var cursor: String?
        repeat {
            let body = try await run.get("/snapshot" + (cursor.map { "?cursor=\($0)" } ?? ""))
            guard let page = JSONTree(body) else { throw Failure("the API's answer is not JSON") }
            for event in page["events"]?.items ?? [] { Console.print(event.json ?? "") }
            cursor = page["cursor"]?.text
        } while cursor != nil
    }
}

struct RunsCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a run, and print its id.",
        discussion: "Repeated with the same idempotency key it prints the id of the first one.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions

    @Option(help: ArgumentHelp("What sort of run it is: 1 to 64 of A-Z a-z 0-9 . _ -", valueName: "kind"))
    var kind: String

    @Option(help: ArgumentHelp("Its id; left out: one is made.", valueName: "id"))
    var id: String?

    @Option(help: ArgumentHelp("A JSON object that stays with it.", valueName: "json"))
    var metadata: String?

    @Option(help: ArgumentHelp("Names this creation, so that it may be repeated.", valueName: "key"))
    var idempotencyKey: String?

    @Flag(help: "Print the API's JSON.")
    var json = false

    func validate() throws {
        if let id { try RunOptions.check(id) }
        if let metadata { _ = try RunOptions.json(metadata, "--metadata") }
    }

    func run() async throws {
        let client = try server.client(common)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("kind", kind)
        if let id { writer.member("id", id) }
        if let metadata { writer.member("metadata", json: try RunOptions.json(metadata, "--metadata")) }
        if let idempotencyKey { writer.member("idempotency_key", idempotencyKey) }
        writer.endObject()
        let request = writer.take()
        let (status, body) = try await APIAnswer.asked { try await client.send("/runs", json: request) }
        guard status == 201 || status == 200 else { throw APIAnswer.failure(status, body) }
        Console.print(json ? String(decoding: body, as: UTF8.self) : Terminal.safe(JSONTree(body)?["id"]?.text ?? ""))
    }
}
