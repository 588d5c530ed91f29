import Events
import Testing

@testable import Fleet
@testable import Ledger

/// Sinks that are not well, and such as are.
extension DoctorChecksTests {
    private static func sink(
        _ consumers: [DiagnosedSink.Consumer] = [DiagnosedSink.Consumer(worker: "w")], workers: [String] = ["w"],
        _ change: (inout DiagnosedSink) -> Void = { _ in }
    ) -> DoctorSnapshot {
        guard let name = SinkName("audit") else { return fleet() }
        var sink = DiagnosedSink(name: name, changedAgeMs: 3_600_000, consumers: consumers)
        change(&sink)
        var snapshot = fleet(workers: workers)
        snapshot.diagnosis?.sinks = [sink]
        return snapshot
    }

    private static func backingOff(_ ageMs: Int64) -> DoctorSnapshot {
        sink([DiagnosedSink.Consumer(worker: "w", state: "backing_off", breaker: "open", failures: 3, error: "HTTP 500", sinceAgeMs: ageMs)]) {
            $0.progress.attempts = 9
            $0.progress.error = "HTTP 500"
            $0.progress.lagMs = 600_000
        }
    }

    private static func letters(dead: Int64, halted: Int64) -> DoctorSnapshot {
        var snapshot = fleet()
        snapshot.diagnosis?.letters = [
            DiagnosedLetters(sink: "audit", dead: dead, halted: halted, oldestAgeMs: 5, newestID: 17, newestError: "HTTP 422")
        ]
        return snapshot
    }

    private static let unable = DiagnosedSink.Consumer(worker: "v", state: "cannot_run", failures: 1, error: "ca_file: there is none")

    static let sinkCases: [(DoctorFinding.Code, DoctorSnapshot)] = [
        (.sinkHalted, sink { $0.progress.haltedRuns = 2 }), (.sinkBackingOff, backingOff(61_000)), (.sinkBackingOff, backingOff(100)),
        (
            .sinkFailing,
            sink {
                $0.progress.attempts = 5
                $0.progress.error = "connection refused"
            }
        ),
        (.sinkLagging, sink { $0.progress.lagMs = 61_000 }), (.sinkPaused, sink { $0.desired = .paused }), (.sinkCannotRun, sink([unable])),
        (.sinkUnowned, sink([])), (.sinkUnowned, sink([DiagnosedSink.Consumer(worker: "dead", heartbeatAgeMs: 15_001)])),
        (.sinkSilent, sink([DiagnosedSink.Consumer(worker: "w", heartbeatAgeMs: 15_001)])), (.deadLetters, letters(dead: 1, halted: 3)),
    ]

    static let wellSinks: [DoctorSnapshot] = [
        sink(), sink { $0.progress.lagMs = 59_000 }, sink([]) { $0.changedAgeMs = 14_000 }, letters(dead: 0, halted: 1),
        sink {
            $0.progress.attempts = 4
            $0.progress.error = "connection refused"
        },
        // A worker that was killed left its row behind.
        sink([DiagnosedSink.Consumer(worker: "w"), DiagnosedSink.Consumer(worker: "dead", state: "backing_off", heartbeatAgeMs: 60_000)]),
    ]

    @Test("how grave a sink's trouble is: by how long its target has failed, and by whether another worker runs it")
    func sinkSeverities() throws {
        func only(_ snapshot: DoctorSnapshot) throws -> DoctorFinding {
            let findings = DoctorChecks().findings(snapshot)
            try #require(findings.count == 1, "\(findings)")
            return findings[0]
        }
        for (age, severity) in [(59_999, DoctorFinding.Severity.note), (60_000, .warning), (599_999, .warning), (600_000, .critical)] {
            #expect(try only(Self.backingOff(Int64(age))).severity == severity)
        }
        let well = DiagnosedSink.Consumer(worker: "w")
        #expect(try only(Self.sink([Self.unable])).severity == .critical)
        let partly = try only(Self.sink([Self.unable, well], workers: ["v", "w"]))
        #expect(partly.severity == .warning && partly.cause.contains("ca_file") && partly.evidence["workers_that_run_it"] == "1")
        let silent = DiagnosedSink.Consumer(worker: "v", heartbeatAgeMs: 20_000)
        #expect(try only(Self.sink([silent, well], workers: ["v", "w"])).severity == .warning)
        #expect(try only(Self.sink([silent], workers: ["v"])).severity == .critical)
        #expect(DoctorChecks().findings(Self.sink([], workers: [])).map(\.code) == [.noWorkers], "without workers that is what is wrong")
    }

    @Test("a sink's finding says which sink, how much waits and why, and names its page")
    func sinkEvidence() throws {
        let snapshot = Self.sink {
            $0.progress = SinkProgress(pendingRuns: 1, backlog: 7, haltedRuns: 2, haltedRun: "a/1", haltedReason: "seq 3 was refused")
        }
        let finding = try #require(DoctorChecks().findings(snapshot).first)
        #expect(finding.entity == "sink audit" && finding.severity == .critical)
        #expect(finding.evidence["run"] == "a/1" && finding.evidence["reason"] == "seq 3 was refused" && finding.evidence["backlog"] == "7")
        #expect(finding.next.contains("weir dlq --sink audit") && finding.next.contains("ops/runbooks/failing-sink.md"))
    }
}
