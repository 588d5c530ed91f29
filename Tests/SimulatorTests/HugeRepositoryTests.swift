import ATProto
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct HugeRepositoryTests {
    private static func configuration() -> SimulatorConfiguration {
        var configuration = SimulatorHarness.configuration(accounts: 5)
        configuration.content.hugeRepositories = 1
        configuration.content.hugeRecords = 2_000
        configuration.content.hugeBytes = 12 << 20
        return configuration
    }

    @Test("a huge repository is about as large as it was ordered, holds its records, and changes like any other", arguments: ArchiveOrder.allCases)
    func fetched(order: ArchiveOrder) async throws {
        var configuration = Self.configuration()
        configuration.content.archiveOrder = order
        try await SimulatorHarness.run(configuration) { simulator in
            let did = try #require(await simulator.service.dids.last)
            let life = AccountLife(simulator: simulator, did: did)
            let car = try await life.archive(at: 0).body
            #expect((11 << 20...13 << 20).contains(car.count))
            #expect(try await life.walked(at: 0).count == 2_000)
            try await life.order(.write)
            guard case .commit(let message) = try await life.messages(1)[0] else { throw life.unexpected }
            _ = try await life.verified(message)
            #expect(try await life.walked(at: 0) == life.holding().records)
        }
    }

    @Test("an archive's parts are small, however large it is, and it stays what it was when it was begun")
    func parts() async throws {
        let network = SimulatedNetwork(configuration: Self.configuration(), startMicroseconds: SimulatedNetworkTests.start)
        let did = await network.dids[4]
        var archive = try await network.archive(of: did).get()
        let whole = try await network.repository(of: did).get()
        var bytes = archive.part() ?? []
        var parts = 1
        for _ in 0..<3 { #expect(try await network.carryOut(FaultOrder(kind: .write, did: did)) != nil) }
        while let part = archive.part() {
            #expect(part.count < 1 << 20)
            parts += 1
            bytes += part
        }
        #expect(bytes == whole)
        #expect(parts > 60)
        #expect(try await network.repository(of: did).get() != whole)
    }

    @Test("no more parts are made than a reader takes, but for what fits into the sockets")
    func backpressure() async throws {
        let made = Mutex(0)
        let (asked, arrived) = AsyncStream<Void>.makeStream()
        struct Endless: HTTPResponder {
            let part: @Sendable () -> Void
            func respond(to request: HTTPRequest) async -> HTTPReply {
                HTTPReply(
                    contentType: "text/plain",
                    body: .parts {
                        part()
                        return .bytes([UInt8](repeating: 7, count: 64 << 10))
                    })
            }
        }
        let responder = Endless {
            made.withLock { $0 += 1 }
            arrived.yield()
        }
        let listener = try await HTTPListener.bind(host: "127.0.0.1", port: 0, responder: responder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            // With a size of its own: the kernel lets a receive buffer grow to dozens of megabytes by itself.
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 256 << 10)
                .connect(host: "127.0.0.1", port: listener.port).get()
            try await client.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")).get()
            // The sockets' buffers are full when nothing is asked for any more: each further second would bring hundreds of parts.
            var parts = asked.makeAsyncIterator()
            await parts.next()
            var before = -1
            while before != made.withLock({ $0 }) {
                before = made.withLock { $0 }
                // What is watched for is that nothing happens.
                try await Task.sleep(for: .milliseconds(300))
            }
            #expect(before < 200)
            try await client.close()
            group.cancelAll()
        }
    }
}
