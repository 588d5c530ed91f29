import ArgumentParser
import Fleet

struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a process on this machine whether it is well: for container health checks.",
        discussion: """
            Asks operations.bind, and where nothing answers there, api.bind. Code 0: well; 3: not. With --ready it asks whether everything that is
            owned is idle or advancing, which says more than that the process answers.
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Ask this address instead.", valueName: "url"))
    var url: String?

    @Flag(help: "Ask /ready instead of /health.")
    var ready = false

    func run() async throws {
        let path = ready ? "/ready" : "/health"
        var clients: [APIClient] = []
        if let url {
            clients = [APIClient(base: url)]
        } else {
            let configuration = try common.load()
            clients = [APIClient(bind: configuration.operationsBind), APIClient(bind: configuration.apiBind)]
        }
        var reason = ""
        for client in clients {
            do {
                let answer = try await client.get(path, timeout: .seconds(3))
                let body = Terminal.safe(String(decoding: answer.body, as: UTF8.self))
                guard answer.status == 200 else { throw Failure("\(client.base)\(path) answers \(answer.status): \(body)", code: ExitCodes.notReady) }
                return Console.print(body)
            } catch let error as APIClientError {
                reason = error.message
            }
        }
        throw Failure(reason, code: ExitCodes.notReady)
    }
}
