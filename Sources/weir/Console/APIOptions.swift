import ArgumentParser
import Fleet
import Foundation

/// Which fleet a command asks.
struct APIOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The API's address (default: api.bind of the configuration).", valueName: "url"))
    var api: String?

    @Option(name: .long, help: ArgumentHelp("A bearer token (also WEIR_API_TOKEN).", valueName: "token"))
    var token: String?

    func client(_ common: CommonOptions) throws -> APIClient {
        let token = token ?? ProcessInfo.processInfo.environment["WEIR_API_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        if let api { return APIClient(base: api.contains("://") ? api : "http://\(api)", token: token) }
        return APIClient(bind: try common.load().apiBind, token: token)
    }
}
