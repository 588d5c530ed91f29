import ATProto
import Foundation
import NIOHTTP1
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct ArchiveLieTests {
    /// Why an archive is not the account's.
    enum Finding: Hashable, Sendable {
        case sound
        /// Refused with this error; the text tells one from another of the same code.
        case refused(FormatError.Code, String)
        case notSigned
        case ofAnother
        case older
    }

    private static func judge(_ car: [UInt8], did: String, key: VerificationKey, rev: String) -> Finding {
        do throws(FormatError) {
            let repository = try Repository(car: car)
            var walk = try repository.walk()
            while try walk.next() != nil {}
            guard repository.commit.isSigned(by: key) else { return .notSigned }
            guard repository.commit.did == did else { return .ofAnother }
            return repository.commit.rev < rev ? .older : .sound
        } catch {
            return .refused(error.code, error.message)
        }
    }

    @Test(
        "each lying archive is refused for the reason that it is named after, and for that one alone; the next archive is sound",
        arguments: [
            (FaultKind.carWrongDigest, Finding.refused(.cid, "digest")), (.carMissingNode, .refused(.missingBlock, "node")),
            (.carMissingRecord, .refused(.missingBlock, "record")), (.carCycle, .refused(.cid, "digest")),
            (.carRepeatedSubtree, .refused(.mst, "twice")), (.carKeysOutOfOrder, .refused(.mst, "order")), (.carWrongLayer, .refused(.mst, "layer")),
            (.carWrongSignature, .notSigned), (.carWrongDID, .ofAnother), (.carTruncated, .refused(.missingBlock, "not")),
            (.carGiantVarint, .refused(.car, "longer than what is left")), (.carTrailingGarbage, .refused(.car, "without a CID")),
            (.carStale, .older),
        ], ArchiveOrder.allCases)
    func lies(lie: (kind: FaultKind, finding: Finding), order: ArchiveOrder) async throws {
        var configuration = SimulatorHarness.configuration(accounts: 4)
        configuration.repositoryHosts = 2
        configuration.content.archiveOrder = order
        configuration.content.initialRecordsMin = 60
        try await SimulatorHarness.run(configuration) { simulator in
            let service = simulator.service
            try await service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 150))
            _ = try await RelayTranscript.follow(simulator.addresses.relays[0], until: 150)
            let holding = try #require(try await Self.active(service).first { $0.host == 1 })
            let (did, rev) = (holding.did, try #require(holding.rev))
            let key = try #require(try await simulator.key(of: did))
            let url = "http://\(simulator.addresses.repositoryHosts[1])/xrpc/com.atproto.sync.getRepo?did=\(did)"
            // At the other host, and of another account: neither is this archive's concern.
            try await service.take(FaultOrder(kind: lie.kind, host: 0, count: 5))
            try await service.take(FaultOrder(kind: lie.kind, did: await service.dids[0] == did ? service.dids[1] : service.dids[0], count: 5))
            #expect(Self.judge(try await simulator.get(url).body, did: did, key: key, rev: rev) == .sound)
            #expect(service.faults.count(lie.kind) == 0)

            try await service.take(FaultOrder(kind: lie.kind, host: 1, count: 3))
            for _ in 0..<3 {
                let finding = Self.judge(try await simulator.get(url).body, did: did, key: key, rev: rev)
                if case .refused(let code, let message) = finding, case .refused(let expected, let text) = lie.finding {
                    #expect(code == expected && message.contains(text), "\(message)")
                } else {
                    #expect(finding == lie.finding)
                }
            }
            #expect(service.faults.count(lie.kind, host: 1) == 3)
            #expect(Self.judge(try await simulator.get(url).body, did: did, key: key, rev: rev) == .sound)
            #expect(service.faults.count(lie.kind) == 3)
        }
    }

    @Test("a lie that a repository gives no occasion for waits for one that does, and is not counted before")
    func noOccasion() async throws {
        var configuration = SimulatorHarness.configuration(accounts: 2)
        configuration.content.initialRecordsMax = 0
        try await SimulatorHarness.run(configuration) { simulator in
            let did = await simulator.service.dids[1]
            let url = "http://\(simulator.addresses.repositoryHost)/xrpc/com.atproto.sync.getRepo?did=\(did)"
            for kind in [FaultKind.carMissingRecord, .carRepeatedSubtree, .carStale] { try await simulator.service.take(FaultOrder(kind: kind)) }
            let empty = try Repository(car: try await simulator.get(url).body)
            var walk = try empty.walk()
            #expect(try walk.next() == nil)
            #expect(simulator.service.faults.byName.isEmpty)
            try await simulator.service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 60))
            _ = try await RelayTranscript.follow(simulator.addresses.relays[0], until: 60)
            for active in try await Self.active(simulator.service) {
                for _ in 0..<3 {
                    _ = try await simulator.get("http://\(simulator.addresses.repositoryHost)/xrpc/com.atproto.sync.getRepo?did=\(active.did)")
                }
            }
            #expect(simulator.service.faults.count(.carMissingRecord) == 1)
            #expect(simulator.service.faults.count(.carStale) == 1)
        }
    }

    static func active(_ service: SimulatorService) async throws -> [RepositorySnapshot] {
        var found: [RepositorySnapshot] = []
        for try await holding in service.repositories() where holding.status == "active" { found.append(holding) }
        return found
    }
}
