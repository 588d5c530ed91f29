import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// The HTTP client of the tests: it opens as many connections to a server as a test has clients, where the shared one lets the ninth wait for
/// the end of another's stream.
enum TestHTTP {
    static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(60)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 200
        return HTTPClient(configuration: configuration)
    }()

    static func get(_ url: String) async throws -> (status: UInt, body: String) {
        let response = try await client.execute(HTTPClientRequest(url: url), timeout: .minutes(5))
        return (response.status.code, String(buffer: try await response.body.collect(upTo: 4 << 20)))
    }
}
