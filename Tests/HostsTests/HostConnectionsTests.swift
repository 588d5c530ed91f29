import NIOCore
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import Hosts

@Suite("Which addresses are connected to")
struct HostConnectionsTests {
    private static let page = StubStep.answer(200, #"{"repos": []}"#)

    /// Answers of a name server, one after the other; the last one stands.
    private final class Names: Sendable {
        private let answers: Mutex<[String]>
        private let asked = Atomic(0)

        init(_ answers: [String]) { self.answers = Mutex(answers) }

        var count: Int { asked.load(ordering: .relaxed) }

        func address(_ port: Int) -> SocketAddress? {
            asked.add(1, ordering: .relaxed)
            let ip = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0.first }
            return ip.flatMap { try? SocketAddress(ipAddress: $0, port: port) }
        }
    }

    /// In these tests 127.0.0.1 is the public network, and everything else is private.
    private func connections(_ names: Names, _ configuration: HostConnectionConfiguration = HostConnectionConfiguration()) -> HostConnections {
        HostConnections(configuration, isAllowed: { $0.ipAddress == "127.0.0.1" }) { names.address($0.port) }
    }

    @Test("a private address is refused before anything is sent, as it stands or behind a name", arguments: ["127.0.0.1", "localhost"])
    func refused(name: String) async throws {
        let host = try await StubHost.start { _ in Self.page }
        try await HostBench.run(connections: HostConnectionConfiguration()) { bench in
            let endpoint = try HostEndpoint("http://\(name):\(host.port)")
            let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: endpoint) }
            #expect(error.code == .refusedAddress)
            #expect(host.seen.connections == 0)
        }
        await host.stop()
    }

    @Test("an operator's own host may have a private address, another port of it may not")
    func trusted() async throws {
        let host = try await StubHost.start { _ in Self.page }
        try await HostBench.run(connections: HostConnectionConfiguration(trustedHosts: [host.endpoint])) { bench in
            _ = try await bench.client.listRepos(at: host.endpoint)
            let other = try HostEndpoint("http://127.0.0.1:\(host.port == 1 ? 2 : 1)")
            let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: other) }
            #expect(error.code == .refusedAddress)
        }
        await host.stop()
    }

    @Test("the address that was checked is the one that is connected to, and it and the connection serve the next request")
    func pinned() async throws {
        let host = try await StubHost.start { _ in Self.page }
        let names = Names(["127.0.0.1", "10.0.0.1"])
        try await HostBench.run(HostClientConfiguration(), connections(names)) { bench in
            // No system knows this name: only the pinned address leads to the host.
            let endpoint = try HostEndpoint("http://pds.invalid:\(host.port)")
            for _ in 0..<3 { _ = try await bench.client.listRepos(at: endpoint) }
            #expect(names.count == 1)
            #expect(host.seen.connections == 1)
            #expect(host.seen.requests.allSatisfy { $0.headers.contains("host: pds.invalid:\(host.port)") })
        }
        await host.stop()
    }

    @Test("once its address is old a name is looked up again, and refused where it became private")
    func rebound() async throws {
        let host = try await StubHost.start { _ in Self.page }
        let names = Names(["127.0.0.1", "127.0.0.1", "10.0.0.1"])
        try await HostBench.run(HostClientConfiguration(), connections(names, HostConnectionConfiguration(addressLifetime: .zero))) { bench in
            let endpoint = try HostEndpoint("http://pds.invalid:\(host.port)")
            for _ in 0..<2 { _ = try await bench.client.listRepos(at: endpoint) }
            // The same address: the same connection.
            #expect(names.count == 2 && host.seen.connections == 1)
            let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: endpoint) }
            #expect(error.code == .refusedAddress)
            #expect(host.seen.requests.count == 2)
        }
        await host.stop()
    }

    @Test("a host that can't be reached is looked up again, one without an address is unavailable")
    func unreachable() async throws {
        let port = try FreePort.choose()
        let names = Names(["127.0.0.1"])
        try await HostBench.run(HostClientConfiguration(), connections(names)) { bench in
            let endpoint = try HostEndpoint("http://pds.invalid:\(port)")
            for _ in 0..<2 {
                let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: endpoint) }
                #expect(error.code == .unavailable)
                #expect(error.message == "no connection: connection refused")
            }
            #expect(names.count == 2)
        }
        try await HostBench.run(HostClientConfiguration(), connections(Names([]))) { bench in
            let error = try await failure { () async throws(HostError) in
                guard let endpoint = try? HostEndpoint("http://pds.invalid:\(port)") else { throw HostError(.other, "", host: "") }
                return try await bench.client.listRepos(at: endpoint)
            }
            #expect(error.code == .unavailable)
            #expect(error.message == "the name has no address")
        }
    }

    @Test("connections are kept for some hosts only, the least recently used go first")
    func kept() async throws {
        let hosts = try await [StubHost.start { _ in Self.page }, StubHost.start { _ in Self.page }, StubHost.start { _ in Self.page }]
        try await HostBench.run(HostClientConfiguration(), connections(Names(["127.0.0.1"]), HostConnectionConfiguration(hostsKept: 2))) { bench in
            func ask(_ index: Int) async throws {
                _ = try await bench.client.listRepos(at: HostEndpoint("http://h\(index).invalid:\(hosts[index].port)"))
            }
            for index in [0, 1, 0, 2] { try await ask(index) }
            await hosts[1].wait { $0.open == 0 }
            try await ask(0)
            try await ask(2)
            #expect(hosts.map { $0.seen.connections } == [1, 1, 1])
            try await ask(1)
            #expect(hosts[1].seen.connections == 2)
        }
        for host in hosts {
            await host.wait { $0.open == 0 }
            await host.stop()
        }
    }

    @Test("a client whose name got another address serves the requests that have it, and then goes")
    func replaced() async throws {
        let host = try await StubHost.start { request in request.target.contains("getRepo") ? [.archive(length: 4), .hang] : Self.page }
        let names = Names(["127.0.0.1", "127.0.0.2"])
        let connections = HostConnections(HostConnectionConfiguration(addressLifetime: .zero), isAllowed: { _ in true }) { names.address($0.port) }
        try await HostBench.run(HostClientConfiguration(), connections) { bench in
            let endpoint = try HostEndpoint("http://pds.invalid:\(host.port)")
            try await withThrowingTaskGroup(of: HostError.self) { group in
                group.addTask { try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) } }
                await host.wait { $0.requests.count == 1 }
                // Nobody listens at the other address.
                let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: endpoint) }
                #expect(error.code == .unavailable)
                #expect(host.seen.open == 1)
                group.cancelAll()
                _ = try await group.next()
            }
            await host.wait { $0.open == 0 }
        }
        await host.stop()
    }

    @Test("a host must have a certificate of its own name, whatever address it is at")
    func certificate() async throws {
        let certificate = try await TestCertificate.make()
        let chain = try NIOSSLCertificate.fromPEMFile(certificate.certificatePath).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: certificate.keyPath, format: .pem)
        let context = try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        // The certificate has 127.0.0.1 in it as well, and a certificate of the address is taken as one of the name.
        let host = try await StubHost.start(on: "0.0.0.0", tls: context) { _ in Self.page }
        let roots = NIOSSLTrustRoots.certificates(try NIOSSLCertificate.fromPEMFile(certificate.authorityPath))
        let connections = HostConnections(HostConnectionConfiguration(), roots: roots, isAllowed: { _ in true }) {
            try? SocketAddress(ipAddress: "127.0.0.2", port: $0.port)
        }
        try await HostBench.run(HostClientConfiguration(), connections) { bench in
            let page = try await bench.client.listRepos(at: HostEndpoint("https://localhost:\(host.port)"))
            #expect(page.next == .end)
            let other = try HostEndpoint("https://pds.invalid:\(host.port)")
            let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: other) }
            #expect(error.code == .unavailable)
            #expect(host.seen.requests.count == 1)
        }
        await host.stop()
    }
}
