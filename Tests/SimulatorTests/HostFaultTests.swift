import ATProto
import Foundation
import NIOHTTP1
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct HostFaultTests {
    private static func configuration() -> SimulatorConfiguration {
        var configuration = SimulatorHarness.configuration(accounts: 4)
        configuration.repositoryHosts = 2
        configuration.content.initialRecordsMin = 300
        configuration.content.recordBytesMean = 1_500
        return configuration
    }

    private static func archive(_ simulator: SimulatorHarness, host: Int) async throws -> String {
        "http://\(simulator.addresses.repositoryHosts[host])/xrpc/com.atproto.sync.getRepo?did=\(await simulator.service.dids[host])"
    }

    @Test("429 with Retry-After, 500 and silence of a host meet that host alone, and nobody who asks a relay")
    func byHost() async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let service = simulator.service
            let (one, two) = (try await Self.archive(simulator, host: 0), try await Self.archive(simulator, host: 1))
            let relay = one.replacingOccurrences(of: simulator.addresses.repositoryHosts[0], with: simulator.addresses.relays[0])
            try await service.take(FaultOrder(kind: .hostBusy, host: 0, seconds: 60, retryAfterSeconds: 9))
            let busy = try await simulator.get(one)
            #expect(busy.status == .tooManyRequests && busy.headers["retry-after"] == ["9"])
            for url in [two, relay] { #expect(try await simulator.get(url).status == .ok) }
            try await service.take(FaultOrder(kind: .hostBusy, host: 0, count: 0))
            #expect(try await simulator.get(one).status == .ok)

            try await service.take(FaultOrder(kind: .hostError, host: 1, count: 1, seconds: 0))
            #expect(try await simulator.get(one).status == .ok)
            #expect(try await simulator.get(two).status == .internalServerError)
            #expect(try await simulator.get(two).status == .ok)

            try await service.take(FaultOrder(kind: .hostGone, host: 1, seconds: 60))
            await #expect(throws: (any Error).self) { try await simulator.get(two) }
            #expect(try await simulator.get(relay).status == .ok)
            try await service.take(FaultOrder(kind: .hostGone, host: 1, count: 0))
            #expect(try await simulator.get(two).status == .ok)
            #expect(service.faults.count(.hostBusy, host: 0) == 1)
            #expect(service.faults.count(.hostError, host: 1) == 1)
            #expect(service.faults.count(.hostGone, host: 1) >= 1)
        }
    }

    @Test("an archive is cut after the bytes that were ordered, or in the middle of a shorter one", arguments: [0, 1, 100_000, 1 << 30])
    func cut(bytes: Int) async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let url = try await Self.archive(simulator, host: 0)
            let whole = try await simulator.get(url).body
            try #require(whole.count > 300_000)
            try await simulator.service.take(FaultOrder(kind: .hostCut, host: 0, bytes: bytes))
            let read = ArchiveReader()
            await #expect(throws: (any Error).self) { try await read.all(url) }
            let received = await read.bytes
            #expect(received.count < whole.count)
            if bytes == 1 || bytes == 100_000 { #expect(received.count <= bytes) }
            #expect(received == Array(whole.prefix(received.count)))
            #expect(try await simulator.get(url).body == whole)
            #expect(simulator.service.faults.count(.hostCut, host: 0) == 1)
        }
    }

    @Test("an archive hangs after the bytes that were ordered until it is told to go on, and is then whole; other requests do not wait")
    func hang() async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let url = try await Self.archive(simulator, host: 0)
            let whole = try await simulator.get(url).body
            try await simulator.service.take(FaultOrder(kind: .hostHang, host: 0, bytes: 150_000))
            let read = ArchiveReader()
            async let hanging: Void = read.all(url)
            for await count in read.counts where count >= 150_000 { break }
            #expect(try await simulator.get(url).body == whole)
            #expect(await read.bytes.count == 150_000)
            try await simulator.service.take(FaultOrder(kind: .hostHang, host: 0, count: 0))
            try await hanging
            #expect(await read.bytes == whole)
            #expect(simulator.service.faults.count(.hostHang, host: 0) == 1)
        }
    }

    @Test("a slow archive drips and is whole in the end")
    func slow() async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let url = try await Self.archive(simulator, host: 1)
            let whole = try await simulator.get(url).body
            try await simulator.service.take(FaultOrder(kind: .hostSlow, did: await simulator.service.dids[1], seconds: 0.01, bytes: 50_000))
            let start = ContinuousClock.now
            #expect(try await simulator.get(url).body == whole)
            #expect(ContinuousClock.now - start >= .milliseconds(10) * (whole.count / 50_000))
            #expect(simulator.service.faults.count(.hostSlow, host: 1) == 1)
        }
    }

    @Test("a reader of an archive that hangs may go away, and the simulator ends in order beside one that waits")
    func abandoned() async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let url = try await Self.archive(simulator, host: 0)
            try await simulator.service.take(FaultOrder(kind: .hostHang, host: 0, count: 2, bytes: 10))
            for _ in 0..<2 {
                let read = ArchiveReader()
                await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await read.all(url) }
                    for await count in read.counts where count >= 10 { break }
                    group.cancelAll()
                    _ = try? await group.next()
                }
            }
            #expect(simulator.service.faults.count(.hostHang) == 2)
            #expect(try await simulator.get(url).status == .ok)
        }
    }
}
