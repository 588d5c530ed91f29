import Broker
import Events
import Testing

@testable import Fleet
@testable import Ledger

/// Each check finds what it is for, says what to do, and says nothing of what is well.
@Suite struct DoctorChecksTests {
    private static let run: RunID = .firehose(3)

    static func fleet(
        shard change: (inout FleetStatus.ShardStatus) -> Void = { _ in }, upstream changeUpstream: (inout FleetStatus.Upstream) -> Void = { _ in },
        workers: [String] = ["w"]
    ) -> DoctorSnapshot {
        var shard = FleetStatus.ShardStatus(
            shard: 3, owner: "w", leaseMsLeft: 3000, haltedReason: nil, offset: .zero, lastSeq: 10, lastCommitAgeMs: 100, nextSeq: 11, held: 0,
            outboxError: nil)
        change(&shard)
        var upstream = FleetStatus.Upstream(
            name: UpstreamName(kind: .firehose, host: "relay.test"), owner: "i", leaseMsLeft: 3000, session: 1,
            report: UpstreamReport(state: .streaming), reportAgeMs: 100, watermark: nil, rewindPending: false, declaredGaps: 0)
        changeUpstream(&upstream)
        return DoctorSnapshot(
            fleet: FleetStatus(upstreams: [upstream], shards: [shard], workers: workers, refused: [:]), diagnosis: Diagnosis(),
            redis: BrokerHealth(usedMemory: 10, maxMemory: 100_000))
    }

    private static func diagnosis(_ change: (inout Diagnosis) -> Void) -> DoctorSnapshot {
        var snapshot = fleet()
        var diagnosis = Diagnosis()
        change(&diagnosis)
        snapshot.diagnosis = diagnosis
        return snapshot
    }

    private static func outbox(_ change: (inout Diagnosis.Outbox) -> Void) -> DoctorSnapshot {
        var row = Diagnosis.Outbox(run: run, sink: "outlet", nextSeq: 1, tailSeq: 500, publishedAgeMs: 100, eventAgeMs: 100)
        change(&row)
        let changed = row
        return diagnosis { $0.outbox = [changed] }
    }

    private static func asked(outletTop: EntryID? = nil, _ change: (inout Diagnosis.Run) -> Void) -> DoctorSnapshot {
        var found = Diagnosis.Run(id: run, lastSeq: 500, firstSeq: 1, maxSeq: 500)
        change(&found)
        let changed = found
        var snapshot = diagnosis { $0.run = changed }
        snapshot.run = run
        snapshot.redis?.outletTop = outletTop
        return snapshot
    }

    private static func redis(_ health: BrokerHealth) -> DoctorSnapshot {
        var snapshot = fleet()
        snapshot.redis = health
        return snapshot
    }

    private static func session(_ session: Diagnosis.Session) -> DoctorSnapshot { diagnosis { $0.sessions = [session] } }

    static let cases: [(DoctorFinding.Code, DoctorSnapshot)] =
        sinkCases + [
            (.ledgerUnavailable, DoctorSnapshot(ledgerError: LedgerError(code: .unavailable, message: "refused", place: "x"))),
            (.notMigrated, DoctorSnapshot(ledgerError: LedgerError(code: .notMigrated, message: "old", place: "x"))),
            (.redisUnavailable, DoctorSnapshot(redisError: "refused")),
            (.redisMemory, redis(BrokerHealth(usedMemory: 86_000, maxMemory: 100_000))), (.redisUnbounded, redis(BrokerHealth())),
            (.redisEvicts, redis(BrokerHealth(maxMemory: 100_000, policy: "allkeys-lru"))),
            (.redisVersion, redis(BrokerHealth(version: "6.2.1", maxMemory: 100_000))),
            (.redisNotDurable, redis(BrokerHealth(maxMemory: 100_000, isAppendOnly: false))),
            (.noWorkers, fleet(workers: [])), (.shardUnowned, fleet(shard: { $0.owner = nil })),
            (.shardUnowned, fleet(shard: { $0.leaseMsLeft = -1 })),
            (.shardHalted, fleet(shard: { $0.haltedReason = "a regressing watermark" })),
            (.shardStalled, fleet(shard: { $0.lastCommitAgeMs = 31_000 })),
            (.upstreamUnowned, fleet(upstream: { $0.owner = nil })), (.upstreamDown, fleet(upstream: { $0.report?.state = .backingOff })),
            (.upstreamDown, fleet(upstream: { $0.report?.state = .stopped })), (.upstreamSilent, fleet(upstream: { $0.reportAgeMs = 60_000 })),
            (.rewindPending, fleet(upstream: { $0.rewindPending = true })), (.declaredGaps, fleet(upstream: { $0.declaredGaps = 2 })),
            (.outboxHalted, outbox { $0.haltedReason = "the log lacks seq 7" }),
            (
                .outboxFailing,
                outbox {
                    $0.attempts = 2
                    $0.error = "connection refused"
                }
            ),
            (.outboxLag, outbox { $0.publishedAgeMs = 61_000 }),
            (
                .outboxLag,
                outbox {
                    $0.publishedAgeMs = nil
                    $0.eventAgeMs = 61_000
                }
            ),
            (
                .publisherStuck,
                outbox {
                    $0.owner = "w"
                    $0.leaseMsLeft = -31_000
                }
            ),
            (.cursorAhead, outbox { $0.nextSeq = 502 }),
            (.runStalled, diagnosis { $0.stalled = [Diagnosis.Stalled(run: run, kind: "job", lastSeq: 3, ageMs: 601_000)] }),
            (.runNeverStarted, diagnosis { $0.stalled = [Diagnosis.Stalled(run: run, kind: "job", lastSeq: 0, ageMs: 601_000)] }),
            (
                .runNotFound,
                {
                    var snapshot = fleet()
                    snapshot.run = run
                    return snapshot
                }()
            ),
            (.runHoles, asked { $0.holes = [Diagnosis.Hole(seq: 4, next: 9)] }), (.runHoles, asked { $0.holes = [Diagnosis.Hole(seq: 4, next: 4)] }),
            (.runTail, asked { $0.maxSeq = 499 }),
            (
                .runTail,
                asked {
                    $0.maxSeq = nil
                    $0.firstSeq = nil
                }
            ),
            (.runBeginningGone, asked { $0.firstSeq = 100 }), (.outletForeign, asked(outletTop: EntryID(milliseconds: 501, sequence: 0)) { _ in }),
            (.lockWait, session(Diagnosis.Session(pid: 7, application: "w", isIdle: false, ageMs: 6_000, blockers: ["x (8)"]))),
            (.idleTransaction, session(Diagnosis.Session(pid: 7, application: "w", isIdle: true, ageMs: 11_000))),
            (.indexMissing, diagnosis { $0.missingIndices = ["held_due"] }), (.indexInvalid, diagnosis { $0.invalidIndices = ["held_due"] }),
            (.partitionMissing, diagnosis { $0.missingDays = ["2026-07-02"] }), (.defaultPartition, diagnosis { $0.hasDefaultRows = true }),
            (.retentionLate, diagnosis { $0.retentionAgeMs = 3 * 3_600_000 }),
            (.slotInactive, diagnosis { $0.slots = [Diagnosis.Slot(name: "s", isActive: false, walStatus: "extended", keptBytes: 11 << 30)] }),
            (.slotLosingLog, diagnosis { $0.slots = [Diagnosis.Slot(name: "s", isActive: false, walStatus: "lost", keptBytes: 0)] }),
            (
                .clientFlaps,
                diagnosis { $0.flapping = [Diagnosis.Flapping(client: FlappingClient(client: "10.0.0.1", topic: "x", opens: 11), ageMs: 5)] }
            ),
        ]

    @Test("finds exactly what is wrong, with a cause and a next step", arguments: cases.indices)
    func one(index: Int) {
        let (code, snapshot) = Self.cases[index]
        let findings = DoctorChecks().findings(snapshot)
        #expect(findings.map(\.code) == [code])
        #expect(findings.allSatisfy { !$0.cause.isEmpty && !$0.next.isEmpty && !$0.entity.isEmpty })
    }

    @Test("no code is without a case")
    func complete() {
        #expect(Set(Self.cases.map(\.0)) == Set(DoctorFinding.Code.allCases))
    }

    @Test("a fleet that works is well, also right below each limit")
    func well() {
        let snapshots = [
            Self.fleet(), Self.outbox { $0.publishedAgeMs = 59_000 }, Self.outbox { $0.nextSeq = 450 }, Self.outbox { $0.nextSeq = 501 },
            Self.asked { _ in },
            Self.outbox {
                $0.owner = "w"
                $0.leaseMsLeft = -2_000
            },
            Self.asked(outletTop: EntryID(milliseconds: 500, sequence: 0)) { _ in }, Self.redis(BrokerHealth(usedMemory: 84_000, maxMemory: 100_000)),
            Self.session(Diagnosis.Session(pid: 7, application: "w", isIdle: false, ageMs: 4_000)),
            Self.asked {
                $0.firstSeq = nil
                $0.maxSeq = nil
                $0.lastSeq = 0
            },
            Self.fleet(upstream: {
                $0.name.kind = .backfill
                $0.owner = nil
            }),
        ]
        for snapshot in snapshots + Self.wellSinks { #expect(DoctorChecks().findings(snapshot) == []) }
        #expect(DoctorReport([]).isWell)
        #expect(DoctorReport([]).lines() == ["all is well"])
    }

    @Test("the gravest stands first, a finding of the general look is not told again for the run, and notes mend nothing")
    func order() throws {
        var snapshot = Self.asked { $0.outbox = [Diagnosis.Outbox(run: Self.run, sink: "outlet", nextSeq: 1, tailSeq: 500, haltedReason: "x")] }
        let rows = snapshot.diagnosis?.run?.outbox ?? []
        snapshot.diagnosis?.outbox = rows
        snapshot.diagnosis?.hasDefaultRows = true
        snapshot.redis?.maxMemory = 0
        let report = DoctorReport(DoctorChecks().findings(snapshot))
        #expect(report.findings.map(\.severity) == [.critical, .warning, .note])
        #expect(!report.isWell)
        #expect(DoctorReport(report.findings.filter { $0.severity == .note }).isWell)
        #expect(
            report.json().hasPrefix(
                #"{"well":false,"findings":[{"code":"outbox_halted","severity":"critical","entity":"run firehose/3, sink outlet","#))
        #expect(report.lines().contains { $0.hasPrefix("  next: weir doctor firehose/3") })
    }
}
