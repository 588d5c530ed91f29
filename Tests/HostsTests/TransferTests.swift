import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Hosts

@Suite("Archives from hosts that are slow, cut, endless or lying")
struct TransferTests {
    @Test("an archive comes in chunks, to its end, with or without a length", arguments: [true, false])
    func whole(hasLength: Bool) async throws {
        let size = 3_000_000
        let host = try await StubHost.start { _ in
            hasLength ? [.archive(length: size), .flood(size)] : [.text("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"), .flood(size), .close]
        }
        try await HostBench.run { bench in
            var (bytes, largest) = (0, 0)
            let count = try await bench.client.getRepo(HostBench.did, at: host.endpoint) { (chunk: ByteBuffer) throws(Never) in
                bytes += chunk.readableBytes
                largest = max(largest, chunk.readableBytes)
            }
            #expect(count == size && bytes == size)
            #expect(largest <= 1 << 20)
            #expect(host.seen.requests.map(\.target) == ["/xrpc/com.atproto.sync.getRepo?did=\(HostBench.did)"])
        }
        await host.stop()
    }

    @Test("no more is read than is taken: a reader that waits makes the host wait")
    func backpressure() async throws {
        let size = 200 << 20
        let host = try await StubHost.start { _ in [.archive(length: size), .flood(size)] }
        try await HostBench.run { bench in
            let stalled = Atomic(0)
            let count = try await bench.client.getRepo(HostBench.did, at: host.endpoint) { (_: ByteBuffer) async throws(Never) in
                guard stalled.load(ordering: .relaxed) == 0 else { return }
                await host.wait { $0.stalls > 0 }
                stalled.store(host.seen.sent, ordering: .relaxed)
            }
            #expect(count == size)
            // What the two sockets hold, and no more.
            #expect(stalled.load(ordering: .relaxed) < 32 << 20)
        }
        await host.stop()
    }

    @Test("a host that falls silent, in its head or in its body, is given up", arguments: [true, false])
    func silence(inBody: Bool) async throws {
        let host = try await StubHost.start { _ in inBody ? [.archive(length: 100), .text("some"), .hang] : [.text("HTTP/1.1 200 OK\r\n"), .hang] }
        let connecting = HostConnectionConfiguration(allowPrivateHosts: true, idleTimeout: .milliseconds(inBody ? 200 : 60_000))
        try await HostBench.run(HostClientConfiguration(answerTimeout: .milliseconds(300)), connections: connecting) { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) }
            #expect(error.code == .unavailable)
            // The connection is gone as well, not only the wait.
            await host.wait { $0.open == 0 }
        }
        await host.stop()
    }

    @Test("a host that drips is given up, however regularly")
    func drip() async throws {
        let host = try await StubHost.start { _ in [.archive(length: 1 << 20), .drip([0], every: .milliseconds(20), times: 10_000)] }
        let configuration = HostClientConfiguration(leastBytesPerSecond: 1_000, paceWindow: .milliseconds(400))
        try await HostBench.run(configuration) { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) }
            #expect(error.code == .unavailable)
            #expect(error.message == "less than 1000 bytes a second arrive")
            await host.wait { $0.open == 0 }
        }
        await host.stop()
    }

    @Test("a body that takes too long in all is given up")
    func transferTime() async throws {
        let host = try await StubHost.start { _ in [.archive(length: 1 << 20), .drip([0], every: .milliseconds(20), times: 10_000)] }
        try await HostBench.run(HostClientConfiguration(transferTimeout: .milliseconds(300))) { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) }
            #expect(error.code == .unavailable)
        }
        await host.stop()
    }

    @Test(
        "a body that is cut off is not taken for a whole one",
        arguments: [
            [.archive(length: 100), .text("some"), .close],
            [.text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n"), .close],
            [.text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nso"), .close],
            [.text("HTTP/1.1 200 OK\r\n"), .close], [.close], [.text("220 smtp.example.com\r\n")],
        ] as [[StubStep]])
    func cut(steps: [StubStep]) async throws {
        let host = try await StubHost.start { _ in steps }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) }
            #expect(error.code == .unavailable)
            #expect(error.advice.disposition == .retry)
        }
        await host.stop()
    }

    @Test("an archive or a page larger than is allowed ends the transfer", arguments: [true, false])
    func gigantic(hasLength: Bool) async throws {
        let size = 1 << 40
        let host = try await StubHost.start { _ in
            [hasLength ? .archive(length: size) : .text("HTTP/1.1 200 OK\r\n\r\n"), .flood(size)]
        }
        try await HostBench.run(HostClientConfiguration(pageBytes: 10_000, repositoryBytes: 1 << 20)) { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) }
            #expect(error.code == .tooLarge)
            let page = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: endpoint) }
            #expect(page.code == .tooLarge)
            await host.wait { $0.open == 0 }
            #expect(host.seen.sent < 64 << 20)
        }
        await host.stop()
    }

    @Test("an answer in JSON instead of an archive is refused before it is read", arguments: ["application/json", "application/json; charset=utf-8"])
    func lyingType(type: String) async throws {
        let host = try await StubHost.start { _ in StubStep.answer(200, "<html>", type: type) }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) }
            #expect(error.code == .malformed)
        }
        await host.stop()
    }

    @Test("what the consumer throws comes through as it is, and ends the connection")
    func consumer() async throws {
        struct Full: Error {}
        let host = try await StubHost.start { _ in [.archive(length: 1 << 30), .flood(1 << 30)] }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            do throws(TransferError<Full>) {
                _ = try await bench.client.getRepo(HostBench.did, at: endpoint) { (_: ByteBuffer) throws(Full) in throw Full() }
                Issue.record("whole")
            } catch {
                guard case .consumer = error else {
                    Issue.record("\(error)")
                    return
                }
            }
            await host.wait { $0.open == 0 }
        }
        await host.stop()
    }

    @Test("a request that is cancelled says nothing of the host", arguments: [true, false])
    func cancelled(inBody: Bool) async throws {
        let host = try await StubHost.start { _ in inBody ? [.archive(length: 100), .text("some"), .hang] : [.hang] }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            let error = try await withThrowingTaskGroup(of: HostError.self) { group in
                group.addTask { try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) } }
                await host.wait { !$0.requests.isEmpty && (!inBody || $0.sent > 0) }
                group.cancelAll()
                return try await group.next()
            }
            #expect(error?.code == .cancelled)
            #expect(error?.advice.isHostsFailure == false)
            await host.wait { $0.open == 0 }
        }
        await host.stop()
    }

    @Test("a host that does not listen is unavailable at once")
    func notListening() async throws {
        let port = try FreePort.choose()
        try await HostBench.run { bench in
            let endpoint = try HostEndpoint("http://127.0.0.1:\(port)")
            let error = try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) }
            #expect(error.code == .unavailable)
        }
    }
}

@Suite("The least speed of a body")
struct TransferPaceTests {
    @Test("is asked of each window of waiting for the host, not of the reader's time")
    func windows() {
        var pace = TransferPace(leastBytesPerSecond: 100, window: .seconds(10))
        // Much at once, then nothing: the second window is judged by itself.
        let arrivals: [(Int, Duration)] = [
            (1_000_000, .milliseconds(10)), (1, .seconds(10)), (999, .seconds(9)), (1, .seconds(1)), (999, .seconds(10)),
        ]
        #expect(arrivals.map { pace.received($0.0, waited: $0.1) } == [true, true, true, true, false])
    }

    @Test("a body that ends before a window has passed is never judged")
    func short() {
        var pace = TransferPace(leastBytesPerSecond: 1_000_000, window: .seconds(10))
        #expect((0..<9).map { _ in pace.received(0, waited: .seconds(1)) }.allSatisfy { $0 })
    }
}
