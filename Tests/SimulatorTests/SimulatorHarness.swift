import ATProto
import AsyncHTTPClient
import Events
import Foundation
import Logging
import NIOCore
import NIOHTTP1

@testable import Simulator

/// A running simulator for the length of a test.
struct SimulatorHarness: Sendable {
    let service: SimulatorService
    var addresses: SimulatorAddresses { service.addresses }

    static func run<Value: Sendable>(
        _ configuration: SimulatorConfiguration, _ body: @Sendable @escaping (SimulatorHarness) async throws -> Value
    ) async throws -> Value {
        var logger = Logger(label: "simulator")
        logger.logLevel = .warning
        let service = try await SimulatorService.prepare(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try? await service.run()
                return nil
            }
            group.addTask { try await body(SimulatorHarness(service: service)) }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let value = result { return value }
            }
            throw CancellationError()
        }
    }

    /// Nothing happens until a rate is set; small repositories.
    static func configuration(seed: UInt64 = 21, accounts: Int = 30) -> SimulatorConfiguration {
        var configuration = SimulatedNetworkTests.configuration(seed: seed, accounts: accounts)
        configuration.startMicroseconds = nil
        configuration.stampsWallTime = true
        configuration.rate = .paused
        return configuration
    }

    struct Answer: Sendable {
        var status: HTTPResponseStatus
        var headers: HTTPHeaders
        var body: [UInt8]

        var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:] }
    }

    func get(_ url: String) async throws -> Answer { try await send(HTTPClientRequest(url: url)) }

    func post(_ url: String, _ body: String = "") async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await send(request)
    }

    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.timeout.connect = .seconds(60)
        return HTTPClient(configuration: configuration)
    }()

    private func send(_ request: HTTPClientRequest) async throws -> Answer {
        let response = try await Self.client.execute(request, timeout: .minutes(5))
        let body = try await response.body.collect(upTo: 64 << 20)
        return Answer(status: response.status, headers: response.headers, body: Array(body.readableBytesView))
    }

    func key(of did: String) async throws -> VerificationKey? {
        let document = try await get("http://\(addresses.directory)/\(did)")
        return try DIDDocument(parsing: document.body, did: did).signingKey
    }
}
