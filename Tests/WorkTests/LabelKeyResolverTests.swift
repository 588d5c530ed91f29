import ATProto
import Events
import Flow
import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Work

@Suite("Keys of labelers, from a directory over HTTP", .timeLimit(.minutes(5)))
struct LabelKeyResolverTests {
    /// A directory that says of each labeler what a test told it last; where that is nothing, that it fails.
    private final class Directory: Sendable {
        private let keys = Mutex<[String: String]>([:])

        func say(_ did: String, _ key: SigningKey?) {
            let text = key.map { String($0.verificationKey.didKey.dropFirst("did:key:".count)) } ?? ""
            keys.withLock { $0[did] = text }
        }

        func answer(_ did: String) -> [StubStep] {
            guard let key = keys.withLock({ $0[did] }) else { return StubStep.answer(500) }
            if key.isEmpty { return StubStep.answer(404) }
            return StubStep.answer(
                200,
                #"""
                {"id": "\#(did)", "verificationMethod": [{"id": "\#(did)#atproto_label", "type": "Multikey", "controller": "\#(did)",
                 "publicKeyMultibase": "\#(key)"}]}
                """#)
        }
    }

    private static let dids = ["a", "b", "c"].map { "did:plc:" + String(repeating: "l", count: 23) + $0 }

    private func with(
        clock: TestClock = TestClock(), _ body: (LabelJudge, Directory, StubHost, RealStores) async throws -> Void
    ) async throws {
        let directory = Directory()
        let host = try await StubHost.start { directory.answer(String($0.target.dropFirst())) }
        try await RealStores.with { stores in
            var configuration = IdentityConfiguration(plcURL: "http://127.0.0.1:\(host.port)", allowPrivateHosts: true)
            // As long as a test may take: an answer is waited for, a failure is not.
            configuration.batchWait = .seconds(30)
            let resolver = LabelKeyResolver(
                configuration: configuration, ledger: stores.ledger, clock: clock.clock, logger: SharedServers.quietLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await resolver.run() }
                try await body(LabelJudge(keys: resolver, mode: .strict), directory, host, stores)
                group.cancelAll()
            }
        }
        await host.stop()
    }

    private func label(_ did: String, _ number: Int, by key: SigningKey) throws -> Label {
        try Label(src: did, uri: "did:plc:\(number)", val: "spam", cts: "2026-01-01T00:00:00Z").signed(by: key)
    }

    private func key(_ number: UInt8) throws -> SigningKey {
        try SigningKey(number % 2 == 0 ? .k256 : .p256, secret: [UInt8](repeating: number, count: 32))
    }

    @Test("labels of several labelers are verified by the keys of their documents, each fetched once and kept; one without a document is refused")
    func keys() async throws {
        try await with { judge, directory, host, stores in
            let keys = [try key(1), try key(2)]
            for (did, key) in zip(Self.dids, keys) { directory.say(did, key) }
            directory.say(Self.dids[2], nil)
            var labels: [Label] = []
            for number in 0..<6 { labels.append(try label(Self.dids[number % 2], number, by: keys[number % 2])) }
            labels.append(try label(Self.dids[2], 6, by: keys[0]))
            for _ in 0..<2 {
                let verdicts = await judge.verdicts(labels)
                #expect(verdicts.dropLast().allSatisfy { $0 == .take(.valid) })
                guard case .refused("noIdentity", _) = verdicts.last else {
                    Issue.record("\(String(describing: verdicts.last))")
                    continue
                }
            }
            #expect(host.seen.requests.map(\.target).sorted() == Self.dids.map { "/\($0)" })
            // They are kept behind the answer.
            let changes = try await TableChanges(of: ["label_keys"], schema: stores.ledger.schema, pool: stores.pool)
            let known = Dictionary(uniqueKeysWithValues: zip(Self.dids, keys.map(\.verificationKey.didKey)))
            try await changes.until { try await stores.ledger.labelKeys(Self.dids).mapValues(\.key) == known }
        }
    }

    @Test("a signature that does not verify has its labeler's document fetched once more: a key that was changed is found, a forgery is refused")
    func rotated() async throws {
        let clock = TestClock()
        try await with(clock: clock) { judge, directory, host, _ in
            let did = Self.dids[0]
            directory.say(did, try key(1))
            #expect(try await judge.verdicts([label(did, 0, by: try key(1))]) == [.take(.valid)])
            directory.say(did, try key(2))
            clock.advance(.seconds(61))
            #expect(try await judge.verdicts([label(did, 1, by: try key(2))]) == [.take(.valid)])
            #expect(host.seen.requests.count == 2)
            let forged = try await judge.verdicts([label(did, 2, by: try key(9))])
            guard case .refused("badSignature", _) = forged[0] else {
                Issue.record("\(forged)")
                return
            }
            // So soon after the last one a stranger's label is worth no request.
            #expect(host.seen.requests.count == 2)
        }
    }

    @Test("while the directory fails a label waits for its key, another labeler's does not, and afterwards it is verified")
    func down() async throws {
        try await with { judge, directory, _, _ in
            directory.say(Self.dids[1], try key(2))
            let labels = [try label(Self.dids[0], 0, by: try key(1)), try label(Self.dids[1], 1, by: try key(2))]
            #expect(await judge.verdicts(labels) == [.waitsForKey, .take(.valid)])
            directory.say(Self.dids[0], try key(1))
            #expect(await judge.verdicts(labels) == [.take(.valid), .take(.valid)])
        }
    }
}
