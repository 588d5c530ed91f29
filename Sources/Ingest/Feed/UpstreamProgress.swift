import Events
import Ledger
import Metrics
import Synchronization

/// What one upstream did so far: for its log lines, its report in the ledger, and its metrics.
final class UpstreamProgress: Sendable {
    struct Snapshot: Hashable, Sendable {
        var report: UpstreamReport
        var session: Int64?
        /// Since the connection began; the report counts since its session began.
        var connectionEvents: Int64 = 0
        var connectionBytes: Int64 = 0
    }

    private let state = Mutex(Snapshot(report: UpstreamReport(state: .connecting)))
    private let events: Counter
    private let bytes: Counter
    private let unusable: Counter
    private let ends: [(String, String)]
    private let positionGauge: Gauge

    init(_ upstream: UpstreamName) {
        // A host may be a relay and a labeler in one process.
        let host = [("host", upstream.kind == .firehose ? upstream.host : upstream.description)]
        ends = host
        events = Counter(label: "weir_ingest_events", dimensions: host)
        bytes = Counter(label: "weir_ingest_bytes", dimensions: host)
        unusable = Counter(label: "weir_ingest_unusable_messages", dimensions: host)
        positionGauge = Gauge(label: "weir_ingest_position", dimensions: host)
    }

    var snapshot: Snapshot { state.withLock { $0 } }

    func became(_ new: UpstreamReport.State, reason: String = "") {
        state.withLock { state in
            state.report.state = new
            state.report.reason = reason
        }
    }

    func connecting() {
        state.withLock { state in
            state.report.state = .connecting
            state.report.reason = ""
            state.session = nil
            state.connectionEvents = 0
            state.connectionBytes = 0
        }
    }

    /// A new session: counts begin anew.
    func opened(session: Int64, from: Position) {
        state.withLock { state in
            state.session = session
            state.report.position = from
            state.report.events = 0
            state.report.bytes = 0
            state.report.state = .streaming
            state.report.reason = ""
        }
    }

    func took(events count: Int, bytes size: Int, unusable bad: Int, position: Position) {
        state.withLock { state in
            state.report.events += Int64(count)
            state.report.bytes += Int64(size)
            state.connectionEvents += Int64(count)
            state.connectionBytes += Int64(size)
            state.report.position = position
            state.report.lastMessageAt = ProcessClock.wall
            if state.report.state == .paused {
                state.report.state = .streaming
                state.report.reason = ""
            }
        }
        events.increment(by: Int64(count))
        bytes.increment(by: Int64(size))
        if bad > 0 { unusable.increment(by: Int64(bad)) }
        positionGauge.record(position.seq)
    }

    func connectionEnded(_ end: ConnectionEnd) {
        Counter(label: "weir_ingest_connections_ended", dimensions: ends + [("reason", end.reason)]).increment()
    }
}
