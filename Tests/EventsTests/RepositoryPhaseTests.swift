import Events
import Testing

@Suite("RepositoryPhase")
struct RepositoryPhaseTests {
    private static let statuses: [String?] = [
        nil, "pending", "backfilling", "active", "desynchronized", "resyncing", "inactive", "deleted", "removed",
    ]
    private static let jobs: [RepositoryPhase.Job] = [
        .none, .waiting(failures: 0), .waiting(failures: 2), .queued, .underWay, .done, .refused("takendown"), .refused("deleted"), .dead,
    ]

    private func phases(_ status: String?, rev: String = "3k", isWanted: Bool? = nil) -> [RepositoryPhase] {
        Self.jobs.map { RepositoryPhase(status: status, rev: rev, isWanted: isWanted, job: $0) }
    }

    @Test("before anything was delivered the job says where it stands")
    func first() {
        let open: [RepositoryPhase] = [.pending, .failed, .pending, .backfilling]
        #expect(phases(nil) == [.unknown] + open + [.unknown, .inactive, .gone, .failed])
        #expect(phases(nil, isWanted: true) == [.pending] + open + [.pending, .inactive, .gone, .failed])
        // Only its identity was seen.
        #expect(phases("active", rev: "") == phases(nil) && phases("active", rev: "", isWanted: true) == phases(nil, isWanted: true))
        #expect(phases("pending") == [.pending] + open + [.pending, .inactive, .gone, .failed])
    }

    @Test("what was delivered whole stays active, whatever becomes of a snapshot that is wanted beside it")
    func active() { #expect(phases("active").allSatisfy { $0 == .active }) }

    @Test("a broken chain is resynced by an attempt, and failed where the last one did")
    func broken() {
        let broken = RepositoryPhase.desynchronized
        #expect(phases("desynchronized") == [broken, broken, .failed, broken, .resyncing, broken, broken, broken, .failed])
        for (status, phase) in [("backfilling", RepositoryPhase.backfilling), ("resyncing", .resyncing)] {
            #expect(phases(status) == [phase, phase, .failed, phase, phase, phase, phase, phase, .failed])
        }
    }

    @Test("an account that is gone or away is so whatever its job says")
    func away() {
        #expect(phases("inactive").allSatisfy { $0 == .inactive })
        #expect(phases("deleted").allSatisfy { $0 == .gone })
    }

    @Test("who was left out is removed, and pending from the moment it is wanted again")
    func removed() {
        for status in Self.statuses { #expect(phases(status, isWanted: false).allSatisfy { $0 == .removed }) }
        #expect(phases("removed").allSatisfy { $0 == .removed })
        #expect(phases("removed", isWanted: true).prefix(5) == [.pending, .pending, .failed, .pending, .backfilling])
    }

    @Test("a status of another program's is no phase") func strange() { #expect(phases("asleep").allSatisfy { $0 == .unknown }) }
}
