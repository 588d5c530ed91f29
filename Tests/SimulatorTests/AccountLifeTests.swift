import ATProto
import Events
import Foundation
import NIOHTTP1
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct AccountLifeTests {
    private static func run(_ body: @Sendable @escaping (AccountLife) async throws -> Void) async throws {
        var configuration = SimulatorHarness.configuration(accounts: 6)
        configuration.repositoryHosts = 3
        configuration.content.initialRecordsMin = 30
        configuration.content.initialRecordsMax = 30
        try await SimulatorHarness.run(configuration) { simulator in
            try await body(AccountLife(simulator: simulator, did: await simulator.service.dids[1]))
        }
    }

    @Test(
        "an account goes by order and comes back: its host says why, every relay tells, and the repository is as it was",
        arguments: [
            (FaultKind.accountDeactivate, "deactivated", "RepoDeactivated"), (.accountTakedown, "takendown", "RepoTakendown"),
            (.accountSuspend, "suspended", "RepoSuspended"),
        ])
    func goesAndReturns(order: (kind: FaultKind, status: String, error: String)) async throws {
        try await Self.run { life in
            let before = try await life.holding()
            try await life.order(order.kind)
            guard case .account(let message) = try await life.messages(1)[0] else { throw life.unexpected }
            #expect(!message.active && message.status == order.status)
            #expect(try await life.archive(at: 1).json["error"] as? String == order.error)
            #expect(try await life.holding().status == order.status)
            // A second time there is no occasion.
            try await life.order(order.kind)
            try await life.order(.write)
            try await life.order(.accountReturn)
            guard case .account(let back) = try await life.messages(2)[1] else { throw life.unexpected }
            #expect(back.active && back.status == nil)
            #expect(try await life.holding() == before)
            #expect(life.service.faults.byName == [order.kind.rawValue: 1, "account_return": 1])
        }
    }

    @Test("a deleted account is in no listing, and comes back with another repository, under another key, that says since null")
    func deleted() async throws {
        try await Self.run { life in
            let before = try await life.holding()
            let key = try await life.key()
            try await life.order(.accountDelete)
            guard case .account(let message) = try await life.messages(1)[0] else { throw life.unexpected }
            #expect(!message.active && message.status == "deleted")
            #expect(try await life.archive(at: 1).json["error"] as? String == "RepoNotFound")
            #expect(try await !life.simulator.listed("http://\(life.hosts[1])/xrpc/com.atproto.sync.listRepos?limit=9").contains(life.did))
            let gone = try await life.holding()
            #expect(gone == RepositorySnapshot(did: life.did, status: "deleted", host: 1, rev: nil, data: nil, records: [:]))

            try await life.order(.accountReturn)
            let messages = try await life.messages(4)
            guard case .identity = messages[1], case .account(let back) = messages[2], case .commit(let commit) = messages[3] else {
                throw life.unexpected
            }
            #expect(back.active)
            #expect(try await life.key() != key)
            let verified = try await life.verified(commit)
            #expect(verified.since == nil && verified.rev > (before.rev ?? ""))
            let after = try await life.holding()
            #expect(after.status == "active" && after.rev == verified.rev && !after.records.isEmpty)
            #expect(Set(after.records.values).isDisjoint(with: before.records.values))
            #expect(try await life.walked(at: 1) == after.records)
        }
    }

    @Test(
        "a migrated account has another host and key in its document; the old host refuses it, and the repository goes on", arguments: [false, true])
    func migrated(isGone: Bool) async throws {
        try await Self.run { life in
            let (before, key) = (try await life.holding(), try await life.key())
            try await life.order(isGone ? .migrateGone : .migrate, host: 2)
            let messages = try await life.messages(3)
            guard case .account(let account) = messages[0], case .identity = messages[1], case .sync(let sync) = messages[2] else {
                throw life.unexpected
            }
            #expect(account.active)
            let document = try await life.document()
            #expect(document.host == "http://\(life.hosts[2])")
            #expect(document.signingKey != key)
            #expect(try await life.archive(at: 1).json["error"] as? String == (isGone ? "RepoNotFound" : "RepoDeactivated"))
            let status = try await life.simulator.get("http://\(life.hosts[1])/xrpc/com.atproto.sync.getRepoStatus?did=\(life.did)").json
            #expect(status["status"] as? String == (isGone ? nil : "deactivated"))
            for (host, isListed) in [(0, false), (1, !isGone), (2, true)] {
                let listed = try await life.simulator.listed("http://\(life.hosts[host])/xrpc/com.atproto.sync.listRepos?limit=9")
                #expect(listed.contains(life.did) == isListed)
            }
            let after = try await life.holding()
            #expect(after.host == 2 && after.data == before.data && after.rev == sync.rev && sync.rev > (before.rev ?? ""))
            #expect(try await life.walked(at: 2) == before.records)
            try await life.order(.write)
            guard case .commit(let commit) = try await life.messages(4)[3] else { throw life.unexpected }
            #expect(try await life.verified(commit).since == sync.rev)
            // And back again.
            try await life.order(.migrate, host: 1)
            _ = try await life.messages(7)
            #expect(try await life.walked(at: 1) == life.holding().records)
            #expect(try await life.archive(at: 2).json["error"] as? String == "RepoDeactivated")
        }
    }

    @Test(
        "a rebase's commit holds by itself: since null, creates alone, nothing before them; with the same records or with others",
        arguments: [false, true])
    func rebased(others: Bool) async throws {
        try await Self.run { life in
            var previous: Set<Bool> = []
            for round in 1...12 {
                let before = try await life.holding()
                try await life.order(others ? .rebaseOther : .rebase)
                guard case .commit(let message) = try await life.messages(round)[round - 1] else { throw life.unexpected }
                let commit = try await life.verified(message)
                #expect(commit.since == nil && commit.rev > (before.rev ?? ""))
                #expect(message.prevData == nil || message.prevData == MerkleSearchTree.emptyRootCID)
                #expect(commit.inversion == (message.prevData == nil ? .computed(MerkleSearchTree.emptyRootCID) : .proven))
                previous.insert(message.prevData == nil)
                #expect(message.ops.allSatisfy { $0.action == .create })
                let after = try await life.holding()
                #expect(after.rev == commit.rev && message.ops.count == after.records.count)
                #expect((after.records == before.records) == !others)
                #expect(try await life.walked(at: 1) == after.records)
            }
            #expect(previous.count == 2)
        }
    }

    @Test("a fork turns back to a commit of before, well signed, and goes on from there with revs above those it lost")
    func forked() async throws {
        try await Self.run { life in
            try await life.order(.write, count: 4)
            _ = try await life.messages(4)
            let kept = try await life.holding()
            try await life.order(.write, count: 5)
            let lost = try await life.messages(9)[4...].map { try life.rev($0) }
            try await life.order(.fork, depth: 5)
            try await life.order(.write)
            guard case .commit(let next) = try await life.messages(10)[9] else { throw life.unexpected }
            let commit = try await life.verified(next)
            #expect(commit.since == kept.rev)
            #expect("\(try #require(commit.prevData))" == kept.data)
            #expect(commit.rev > (lost.last ?? ""))
            let line = try #require(life.service.record.lines.first { $0.contains("\"type\":\"fork\"") })
            let fields = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(fields["rev"] as? String == kept.rev)
            #expect(fields["lost"] as? [String] == lost)
            #expect(try await life.walked(at: 1) == life.holding().records)
        }
    }

    @Test("a fork right after is what the host answers: the archive and the head of the commit before")
    func forkAnswers() async throws {
        try await Self.run { life in
            try await life.order(.write, count: 3)
            _ = try await life.messages(3)
            let first = try await life.holding()
            try await life.order(.write, count: 2)
            _ = try await life.messages(5)
            // Another key meanwhile: the earlier commit is signed by the one that the document has.
            try await life.order(.rotateKey)
            try await life.order(.fork, depth: 2)
            _ = try await life.messages(6)
            try await life.waitUntil { try await life.holding() == first }
            let repository = try Repository(car: try await life.archive(at: 1).body)
            #expect(repository.commit.rev == first.rev)
            #expect(repository.commit.isSigned(by: try await life.key()))
            #expect(try await life.walked(at: 1) == first.records)
        }
    }

    @Test("orders without a DID fall on accounts that are drawn, by the control API too; one for nobody is refused")
    func drawn() async throws {
        try await Self.run { life in
            let control = life.simulator.addresses.controlURL
            let body = #"[{"kind":"write","count":20},{"kind":"account_takedown"},{"kind":"migrate","host":0},{"kind":"rebase"}]"#
            #expect(try await life.simulator.post("\(control)/sim/faults", body).status == .ok)
            try await life.waitUntil {
                let status = try await life.service.status()
                return status.faultsWaiting == 0 && status.quiescent
            }
            #expect(life.service.faults.count(.write) == 20)
            #expect(life.service.faults.count(.accountTakedown) == 1)
            let commits = life.service.record.lines.filter { $0.contains("\"type\":\"commit\"") && !$0.contains("\"fault\"") }
            #expect(commits.count == 20)
            let scheduled = #"[{"kind":"fork","every":15},{"kind":"migrate","every":15},{"kind":"account_deactivate","every":15}]"#
            #expect(try await life.simulator.post("\(control)/sim/faults", scheduled).status == .ok)
            try await life.service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 200))
            try await life.waitUntil { try await life.service.status().quiescent }
            for kind in [FaultKind.fork, .migrate, .accountDeactivate] { #expect(life.service.faults.count(kind) > 1, "\(kind)") }
            let nobody = #"{"kind":"write","did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"}"#
            #expect(try await life.simulator.post("\(control)/sim/faults", nobody).status == .badRequest)
            #expect(try await life.simulator.post("\(control)/sim/faults", #"{"kind":"write","host":3}"#).status == .badRequest)
        }
    }
}
