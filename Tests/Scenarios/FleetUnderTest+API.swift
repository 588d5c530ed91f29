import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// What scenarios ask of the fleet as its users do: over HTTP, and with the command line.
extension FleetUnderTest {
    /// Starts an API, and returns once it answers.
    func startAPI() async throws -> WeirProcess {
        let api = try await start("api", "api")
        try await waitUntil("the API answers") { _ in (try? await get("/health"))?.status == 200 }
        return api
    }

    func get(_ path: String) async throws -> (status: UInt, body: String) {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: "http://127.0.0.1:\(apiPort)\(path)"), timeout: .seconds(30))
        return (response.status.code, String(buffer: try await response.body.collect(upTo: 4 << 20)))
    }

    /// The answer as a value; throws where it is none, or another one than 200.
    func get<Value: Decodable>(_ path: String, as type: Value.Type) async throws -> Value {
        let (status, body) = try await get(path)
        try require(status == 200, "\(path) answered \(status): \(body)")
        return try JSONDecoder().decode(type, from: Data(body.utf8))
    }

    /// What a command prints; throws where it fails.
    func command(_ arguments: String...) async throws -> String { try await WeirProcess.run(arguments, environment) }
}
