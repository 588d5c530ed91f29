import ATProto
import Events
import Testing

@testable import Simulator

@Suite struct SimulatedNetworkTests {
    static let start: Int64 = 1_780_000_000_000_000
    static let now = WallTime(microseconds: start + 60_000_000)

    static func configuration(seed: UInt64 = 11, accounts: Int = 12) -> SimulatorConfiguration {
        var content = ContentConfiguration()
        content.initialRecordsMax = 60
        content.identityPerThousand = 40
        content.accountPerThousand = 40
        content.syncPerThousand = 40
        return SimulatorConfiguration(seed: seed, accounts: accounts, startMicroseconds: start, stampsWallTime: false, content: content)
    }

    private static func frame(_ event: NetworkEvent) -> [UInt8] {
        event.body.frame(seq: 77, time: Timestamp.bytes(microseconds: event.microseconds))
    }

    private static func key(_ network: SimulatedNetwork, _ did: String) async throws -> VerificationKey {
        try VerificationKey(multikey: try #require(await network.identity(of: did)).multikey)
    }

    @Test("every commit holds: structure, signature, inversion, and the chain from one to the next", arguments: [1, 2, 3] as [UInt64])
    func commitsVerify(seed: UInt64) async throws {
        let network = SimulatedNetwork(configuration: Self.configuration(seed: seed), startMicroseconds: Self.start)
        var last: [String: (rev: String, data: CID)] = [:]
        var commits = 0
        for event in try await network.next(400) {
            guard case .commit = event.kind else { continue }
            commits += 1
            let key = try await Self.key(network, event.did)
            guard case .verified(let commit) = CommitVerifier.verify(Self.frame(event), key: key, now: Self.now) else {
                Issue.record("refused, seed \(seed): \(CommitVerifier.verify(Self.frame(event), key: key, now: Self.now))")
                continue
            }
            #expect(commit.inversion == .proven)
            #expect(commit.marks.isEmpty)
            #expect(commit.message.seq == 77)
            if let before = last[event.did] {
                #expect(commit.since == before.rev)
                #expect(commit.prevData == before.data)
                #expect(commit.rev > before.rev)
            }
            last[event.did] = (commit.rev, commit.data)
        }
        #expect(commits > 300)
    }

    @Test("all kinds of events and all actions occur, with and without handle")
    func kinds() async throws {
        let network = SimulatedNetwork(configuration: Self.configuration(), startMicroseconds: Self.start)
        var seen: Set<String> = []
        for event in try await network.next(600) {
            switch try StreamMessage(frame: Self.frame(event)) {
            case .commit(let message): for operation in message.ops { seen.insert(operation.action.rawValue) }
            case .sync(let message):
                #expect(message.rev == event.rev)
                seen.insert("sync")
            case .identity(let message): seen.insert(message.handle == nil ? "identity" : "identity with handle")
            case .account(let message): seen.insert(message.active ? "active" : "inactive")
            default: Issue.record("another message")
            }
        }
        #expect(seen == ["create", "update", "delete", "sync", "identity", "identity with handle", "active", "inactive"])
    }

    @Test("the same seed gives the same events, another seed others")
    func deterministic() async throws {
        func lines(_ seed: UInt64) async throws -> [[UInt8]] {
            let network = SimulatedNetwork(configuration: Self.configuration(seed: seed), startMicroseconds: Self.start)
            return try await network.next(200).map { RecordLine.event($0, n: 0, time: Timestamp.bytes(microseconds: $0.microseconds)) }
        }
        let first = try await lines(5)
        #expect(try await lines(5) == first)
        #expect(try await lines(6) != first)
    }

    @Test("making repositories first or when needed gives the same")
    func lazy() async throws {
        let early = SimulatedNetwork(configuration: Self.configuration(), startMicroseconds: Self.start)
        try await early.build()
        let late = SimulatedNetwork(configuration: Self.configuration(), startMicroseconds: Self.start)
        let revs = try await early.next(100).map(\.rev)
        #expect(try await late.next(100).map(\.rev) == revs)
    }

    @Test(
        "a forged commit is refused for its own reason and leaves the account's state as it was",
        arguments: [
            (FaultKind.badSignature, Refusal.Reason.badSignature), (.wrongPrevData, .badInversion), (.wrongTree, .missingBlock),
            (.futureRev, .futureRev),
        ])
    func forged(kind: FaultKind, reason: Refusal.Reason) async throws {
        let network = SimulatedNetwork(configuration: Self.configuration(), startMicroseconds: Self.start)
        for _ in 0..<5 {
            let event = try await network.forge(kind, relay: 0)
            let head = try await network.head(of: event.did).get()
            let verdict = CommitVerifier.verify(Self.frame(event), key: try await Self.key(network, event.did), now: Self.now)
            guard case .refused(let refusal) = verdict else {
                Issue.record("\(kind) was verified")
                return
            }
            #expect(refusal.reason == reason)
            #expect(head.rev == event.since)
            #expect(event.operations.allSatisfy { $0.rkey.hasPrefix("forged") })
        }
    }

    @Test("a repository's archive holds what its events did, and every record's bytes are those of its CID")
    func archive() async throws {
        let network = SimulatedNetwork(configuration: Self.configuration(accounts: 4), startMicroseconds: Self.start)
        var expected: [String: [String: CID?]] = [:]
        for event in try await network.next(300) {
            for operation in event.operations { expected[event.did, default: [:]][operation.path] = .some(operation.cid) }
        }
        var walked = 0
        for did in await network.dids {
            guard case .success(let car) = await network.repository(of: did) else { continue }
            let repository = try Repository(car: car)
            #expect(repository.commit.isSigned(by: try await Self.key(network, did)))
            var walk = try repository.walk()
            var records: [String: CID] = [:]
            while let record = try walk.next() { records[record.path] = record.cid }
            for (path, cid) in expected[did] ?? [:] { #expect(records[path] == cid) }
            walked += 1
        }
        #expect(walked > 0)
    }

    @Test("a divergence says with #sync what no commit said, and a rotated key signs what follows")
    func divergenceAndRotation() async throws {
        let network = SimulatedNetwork(configuration: Self.configuration(accounts: 1), startMicroseconds: Self.start)
        let did = await network.dids[0]
        let before = try await network.head(of: did).get().rev
        let sync = try await network.diverge()
        #expect(sync.since == before)
        #expect(!sync.operations.isEmpty)
        guard case .sync(let message) = try StreamMessage(frame: Self.frame(sync)) else { throw FormatError(.message, "no #sync") }
        #expect(message.rev == (try await network.head(of: did).get().rev))

        let old = try await Self.key(network, did)
        _ = await network.rotateKey()
        let new = try await Self.key(network, did)
        #expect(old != new)
        let commit = try #require(try await network.next(20).first { $0.since != nil })
        guard case .verified = CommitVerifier.verify(Self.frame(commit), key: new, now: Self.now) else {
            Issue.record("the new key did not sign")
            return
        }
    }
}
