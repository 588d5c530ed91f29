import AsyncHTTPClient
import NIOCore

/// The HTTP client of the tests: it opens as many connections to a server as a test has clients, where the shared one lets the ninth wait for
/// the end of another's stream.
enum TestHTTP {
    static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(60)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 200
        return HTTPClient(configuration: configuration)
    }()
}
