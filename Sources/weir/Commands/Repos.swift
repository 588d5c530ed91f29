import ArgumentParser
import Events
import Fleet

struct Repos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Choose which repositories are tracked, and look at them.",
        discussion: """
            weir repos add did:plc:z72i7hdynmk6r22z27h6tvur    fetch it, then follow it
            weir repos add --file dids.txt                     one DID a line, # for remarks; - reads standard input
            weir repos show did:plc:z72i7hdynmk6r22z27h6tvur   where it stands
            weir repos list --phase failed                     what could not be fetched

            Asks the API. It takes changes with a token of the scope admin; without tokens on loopback, or where api.allow_writes is set. Only where
            repos.scope is not live.
            """,
        subcommands: [ReposAdd.self, ReposRemove.self, ReposResync.self, ReposShow.self, ReposList.self])
}

struct ReposAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Track repositories: a snapshot of each is fetched, then its live events follow.")
    @OptionGroup var change: ScopeChangeOptions

    func run() async throws { try await change.run("/repos/add") }
}

struct ReposRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Leave repositories out: what is known of them is deleted, and consumers are told.")
    @OptionGroup var change: ScopeChangeOptions

    func run() async throws { try await change.run("/repos/remove") }
}

struct ReposResync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resync", abstract: "Fetch tracked repositories again, and deliver what differs from what was delivered.")
    @OptionGroup var change: ScopeChangeOptions

    func run() async throws { try await change.run("/repos/resync") }
}

struct ReposShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show everything that is known of a repository.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions

    @Argument(help: "The repository's DID.")
    var did: String

    @Flag(help: "Print the API's JSON.")
    var json = false

    func validate() throws { try ScopeChangeOptions.check(did) }

    func run() async throws {
        let client = try server.client(common)
        let (status, body) = try await APIAnswer.asked { try await client.get("/repos/\(Tail.encoded(did))") }
        guard status == 200 else { throw APIAnswer.failure(status, body) }
        if json { return Console.print(String(decoding: body, as: UTF8.self)) }
        guard let tree = JSONTree(body) else { throw Failure("the API's answer is not JSON") }
        for line in RepositoryReport(tree: tree).lines() { Console.print(line) }
    }
}

struct ReposList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List repositories that are tracked or were removed, in order of DID.",
        discussion: "With --json one line of JSON a page, as the API sent it.")
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions

    @Option(help: ArgumentHelp("Only those in this phase (\(Self.phases)).", valueName: "phase"))
    var phase: String?

    @Option(help: ArgumentHelp("Only those behind this one.", valueName: "did"))
    var after: String?

    @Option(help: ArgumentHelp("End after so many.", valueName: "number"))
    var limit: Int = 100

    @Flag(help: "Print the API's JSON.")
    var json = false

    private static let phases = RepositoryPhase.allCases.map(\.rawValue).joined(separator: ", ")

    func validate() throws {
        if let phase, RepositoryPhase(rawValue: phase) == nil { throw ValidationError("--phase: there is no \(phase); allowed: \(Self.phases)") }
        if let after { try ScopeChangeOptions.check(after) }
        guard limit > 0 else { throw ValidationError("--limit: 1 or more is allowed") }
    }

    func run() async throws {
        let client = try server.client(common)
        var table = TextTable([.text("did"), .text("phase"), .text("rev"), .text("tried again"), .text("why")])
        var (left, next) = (limit, after)
        repeat {
            let (status, body) = try await APIAnswer.asked { try await client.get(path(min(left, 1000), next)) }
            guard status == 200 else { throw APIAnswer.failure(status, body) }
            guard let page = JSONTree(body) else { throw Failure("the API's answer is not JSON") }
            let repositories = page["repositories"]?.items ?? []
            left -= repositories.count
            next = page["after"]?.text
            if json {
                Console.print(String(decoding: body, as: UTF8.self))
            } else {
                table.rows += repositories.map(RepositoryReport.row)
            }
        } while left > 0 && next != nil
        if !json { for line in table.lines() { Console.print(line) } }
        if let next { Console.complain("there may be more: --after \(Terminal.safe(next))") }
    }

    private func path(_ limit: Int, _ after: String?) -> String {
        var path = "/repos?limit=\(limit)"
        if let phase { path += "&phase=\(phase)" }
        if let after { path += "&after=\(Tail.encoded(after))" }
        return path
    }
}
