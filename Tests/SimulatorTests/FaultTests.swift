import Events
import NIOHTTP1
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct FaultTests {
    @Test("every fault of streams and connections happens, counts itself, and a reader that resumes still gets every event")
    func all() async throws {
        let events = 400
        let streams: [FaultKind] = [.malformedFrame, .unknownOp, .unknownType, .oversizeFrame, .duplicate, .reorder]
        let forged: [FaultKind] = [.badSignature, .wrongPrevData, .wrongTree, .futureRev]
        let connections: [FaultKind] = [.cutMidFrame, .cutOnBoundary, .garbageBytes, .errorFrame]
        try await SimulatorHarness.run(SimulatorHarness.configuration()) { simulator in
            let service = simulator.service
            for kind in streams + forged + connections { try await service.take(FaultOrder(kind: kind, relay: 0, count: 2)) }
            try await service.take(FaultOrder(kind: .dropCommit, relay: 0, count: 3))
            try await service.take(FaultOrder(kind: .syncDivergence, count: 1))
            try await service.take(FaultOrder(kind: .rotateKey, count: 1))
            try await service.take(FaultOrder(kind: .delay, relay: 1, seconds: 5))
            try await service.take(FaultOrder(kind: .silent, relay: 1, seconds: 0.2))
            try await service.set(EventRate(eventsPerSecond: .infinity, eventsMax: events))
            // Besides the events of the rate there are the divergence and the rotation.
            async let faulty = RelayTranscript.follow(simulator.addresses.relays[0], until: events + 2 - 3)
            async let sound = RelayTranscript.follow(simulator.addresses.relays[1], until: events + 2)
            let (a, b) = try await (faulty, sound)

            for kind in streams + forged + connections { #expect(service.faults.count(kind, relay: 0) == 2, "\(kind)") }
            #expect(service.faults.count(.dropCommit) == 3)
            #expect(service.faults.count(.syncDivergence) == 1)
            #expect(service.faults.count(.rotateKey) == 1)
            #expect(service.faults.count(.delay, relay: 1) > 0)
            #expect(service.faults.count(.silent, relay: 1) == 1)
            #expect(a.malformed >= 2)
            #expect(a.unknown >= 4)
            #expect(a.oversize >= 2)
            #expect(a.forged >= 8)
            #expect(a.repeats >= 2)
            #expect(a.connections >= 7)
            #expect(a.errors.contains("InternalServerError"))
            #expect(b.malformed + b.unknown + b.oversize + b.forged + b.repeats == 0)
            // Per DID the faulty relay has the sound one's order, but for what it left out.
            for (did, order) in a.orders { #expect((b.orders[did] ?? []).filter(Set(order).contains) == order) }
            let refused = service.record.lines.filter { $0.contains("\"type\":\"refused\"") }
            #expect(refused.count == 2 * 4 + 2 * 2)
        }
    }

    @Test("connects are refused with 429 and Retry-After, or with 503, for as long as ordered")
    func refusals() async throws {
        try await SimulatorHarness.run(SimulatorHarness.configuration()) { simulator in
            let relay = simulator.addresses.relays[0]
            let url = "http://\(relay)/xrpc/com.atproto.sync.subscribeRepos"
            try await simulator.service.take(FaultOrder(kind: .refuse429, relay: 0, seconds: 60, retryAfterSeconds: 7))
            #expect(try await RelayReader.read(relay, cursor: nil) { _ in true } == .refused)
            let busy = try await simulator.get(url)
            #expect(busy.status == .tooManyRequests)
            #expect(busy.headers["retry-after"] == ["7"])
            try await simulator.service.take(FaultOrder(kind: .refuse503, relay: 0, seconds: 60))
            #expect(try await simulator.get(url).status == .serviceUnavailable)
            try await simulator.service.take(FaultOrder(kind: .refuse503, relay: 0, seconds: 0))
            #expect(try await simulator.get(url).status == .upgradeRequired)
            #expect(simulator.service.faults.count(.refuse429) == 2)
            #expect(simulator.service.faults.count(.refuse503) == 1)
        }
    }

    @Test("a relay that is gone answers nobody; one that forgot says OutdatedCursor, and one that numbers anew FutureCursor")
    func turns() async throws {
        try await SimulatorHarness.run(SimulatorHarness.configuration()) { simulator in
            let (service, relay) = (simulator.service, simulator.addresses.relays[0])
            try await service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 50))
            _ = try await RelayTranscript.follow(relay, until: 50)
            let last = try await service.status().relays[0].lastSeq

            try await service.take(FaultOrder(kind: .gone, relay: 0, seconds: 60))
            #expect(try await RelayReader.read(relay, cursor: 0) { _ in true } == .closed)
            #expect(service.faults.count(.gone, relay: 0) == 1)
            try await service.take(FaultOrder(kind: .gone, relay: 0, seconds: 0))

            try await service.take(FaultOrder(kind: .forget, relay: 0))
            #expect(try await RelayReader.read(relay, cursor: last - 1) { String(decoding: $0, as: UTF8.self).contains("OutdatedCursor") } == .enough)
            #expect(service.record.lines.filter { $0.contains("\"type\":\"forgotten\"") }.count == 50)

            try await service.take(FaultOrder(kind: .renumber, relay: 0))
            #expect(try await RelayReader.read(relay, cursor: last) { String(decoding: $0, as: UTF8.self).contains("FutureCursor") } == .enough)
            try await service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 10))
            _ = try await RelayReader.read(relay, cursor: 0) { _ in true }
            #expect(try await service.status().relays[0].lastSeq < last)
        }
    }

    @Test("directory and repository host fail as ordered, and only so often")
    func servers() async throws {
        try await SimulatorHarness.run(SimulatorHarness.configuration()) { simulator in
            let did = await simulator.service.dids[0]
            let document = "http://\(simulator.addresses.directory)/\(did)"
            let head = "http://\(simulator.addresses.repositoryHost)/xrpc/com.atproto.sync.getLatestCommit?did=\(did)"
            for (kind, url, status) in [
                (FaultKind.directoryError, document, 502), (.directoryNotFound, document, 404), (.hostError, head, 500), (.hostBusy, head, 429),
            ] {
                try await simulator.service.take(FaultOrder(kind: kind, count: 1, seconds: 0))
                #expect(try await simulator.get(url).status.code == status)
                #expect(try await simulator.get(url).status == .ok)
                #expect(simulator.service.faults.count(kind) == 1)
            }
        }
    }
}
