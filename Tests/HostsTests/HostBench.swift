import Events
import NIOCore
import TestSupport
import Testing

@testable import Hosts

/// A client, and stub hosts for it to ask.
struct HostBench: Sendable {
    let client: HostClient
    let connections: HostConnections

    static let did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
    static let rev = "3kdtlpv3vms2g"
    static let cid = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"

    /// Runs a test with a client that may ask this machine, and closes its connections.
    static func run(
        _ configuration: HostClientConfiguration = HostClientConfiguration(),
        connections connecting: HostConnectionConfiguration = HostConnectionConfiguration(allowPrivateHosts: true),
        _ test: (HostBench) async throws -> Void
    ) async throws {
        let connections = HostConnections(connecting)
        try await run(configuration, connections, test)
    }

    static func run(
        _ configuration: HostClientConfiguration = HostClientConfiguration(), _ connections: HostConnections,
        _ test: (HostBench) async throws -> Void
    ) async throws {
        let bench = HostBench(
            client: HostClient(configuration, connections: connections, wall: { WallTime(microseconds: 1_790_000_000_000_000) }),
            connections: connections)
        do {
            try await test(bench)
        } catch {
            await connections.close()
            throw error
        }
        await connections.close()
    }

    /// All chunks of a repository, or why they did not come.
    func repository(at host: HostEndpoint) async throws(HostError) -> Int {
        do {
            return try await client.getRepo(Self.did, at: host) { (_: ByteBuffer) throws(Never) in }
        } catch {
            switch error {
            case .host(let error): throw error
            }
        }
    }
}

extension StubHost {
    var endpoint: HostEndpoint {
        get throws { try HostEndpoint("http://127.0.0.1:\(port)") }
    }
}

/// The error that a call throws.
func failure<Value>(
    _ call: () async throws(HostError) -> Value, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> HostError {
    do throws(HostError) {
        let value = try await call()
        Issue.record("answered \(value)", sourceLocation: sourceLocation)
        throw HostError(.other, "no failure", host: "")
    } catch {
        return error
    }
}
