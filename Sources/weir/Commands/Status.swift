import ArgumentParser
import Fleet

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show relays, labelers, shards, backlog, lag and rates, live.",
        discussion: "Code 3 where the API does not answer; with --once also where the fleet is not ready.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions

    @Flag(help: "Print it once. The default where the output is no terminal.")
    var once = false

    @Flag(help: "Print the API's JSON, once.")
    var json = false

    @Flag(help: "List every shard, not only those in trouble.")
    var shards = false

    @Option(help: ArgumentHelp("How often to look.", valueName: "seconds"))
    var every: Double = 2

    func validate() throws {
        guard (0.2...3600).contains(every) else { throw ValidationError("--every: 0.2 to 3600 seconds is allowed") }
    }

    func run() async throws {
        let client = try server.client(common)
        if json {
            let (report, _) = try await ask(client)
            return Console.print(report)
        }
        guard !once, Console.outputIsTerminal else { return try await showOnce(client) }
        var last: StatusReport?
        while true {
            do {
                let (text, reasons) = try await ask(client)
                let report = try StatusReport(json: text, reasons: reasons)
                // Home, then each line to its end, then what is below: without a flicker.
                let lines = report.lines(before: last, all: shards).map { $0 + "\u{1b}[K" }
                Console.write("\u{1b}[H" + (last == nil ? "\u{1b}[2J" : "") + lines.joined(separator: "\n") + "\n\u{1b}[J")
                last = report
            } catch let failure as Failure where last != nil {
                Console.write("\u{1b}[H\(failure.description)\u{1b}[K\n\u{1b}[J")
            }
            try await Task.sleep(for: .seconds(every))
        }
    }

    private func showOnce(_ client: APIClient) async throws {
        let (first, _) = try await ask(client)
        let before = try StatusReport(json: first, reasons: [])
        // A rate needs two looks.
        try await Task.sleep(for: .seconds(1))
        let (second, reasons) = try await ask(client)
        let report = try StatusReport(json: second, reasons: reasons)
        for line in report.lines(before: before, all: shards) { Console.print(line) }
        if !reasons.isEmpty { throw ExitCodes.notReady }
    }

    /// The status, and why the fleet is not ready.
    private func ask(_ client: APIClient) async throws -> (text: String, reasons: [String]) {
        do {
            let status = try await client.get("/status")
            guard status.status == 200 else {
                throw Failure("\(client.base)/status answers \(status.status): \(Terminal.safe(String(decoding: status.body, as: UTF8.self)))")
            }
            let ready = JSONTree(try await client.get("/ready").body)
            let reasons = (ready?["reasons"]?.items ?? []).map { "\($0["entity"]?.text ?? ""): \($0["detail"]?.text ?? "")" }
            return (String(decoding: status.body, as: UTF8.self), reasons.map(Terminal.safe))
        } catch let error as APIClientError {
            throw Failure(error.message, code: ExitCodes.notReady)
        }
    }
}
