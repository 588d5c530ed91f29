import Events
import Flow
import Ledger
import Logging
import Metrics
import ServiceLifecycle

/// Counts what came of a pass and tells it in its run: at most once a second, and once in half a minute while nothing changes.
///
/// The last event of a pass is appended with the source's last state, when its list is at its end and none of its jobs is open. Each append is fenced:
/// a process that lost the enumeration tells nothing. Counting takes a tenth of the time at most, however many jobs there are.
struct BackfillTeller {
    private let enumerator: HostEnumerator
    private let ownership: UpstreamOwnership
    private var pass = 0
    private var run: RunID?
    private var meter = ProgressMeter()
    private var told: BackfillProgress?
    private let openGauge: Gauge

    init(_ enumerator: HostEnumerator, _ ownership: UpstreamOwnership) {
        self.enumerator = enumerator
        self.ownership = ownership
        openGauge = Gauge(label: "weir_backfill_open", dimensions: [("host", enumerator.host.name)])
    }

    private var ledger: Ledger { enumerator.ledger }
    private var logger: Logger { enumerator.logger }

    mutating func run() async -> ConnectionEnd {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let begun = ProcessClock.now
            do throws(LedgerError) {
                if let source = enumerator.state.source, source.state != .finished { try await tell(source) }
            } catch {
                switch error.code {
                case .fenced: return ConnectionEnd(.leaseLost)
                case .contention: logger.debug("the pass moved on", metadata: ["error": "\(error)"])
                default: logger.warning("progress could not be told", metadata: ["error": "\(error)"])
                }
            }
            await Pause.sleep(max(enumerator.configuration.progressInterval, (ProcessClock.now - begun) * 10))
        }
        return ConnectionEnd(Task.isShuttingDownGracefully ? .shutdown : .cancelled)
    }

    private mutating func tell(_ source: BackfillSource) async throws(LedgerError) {
        if source.pass != pass { try await begin(source) }
        let made = enumerator.state.made
        let counts = try await ledger.backfillCounts(source: source.host)
        enumerator.state.counted(open: counts.open, since: made)
        openGauge.record(counts.open)
        let progress = BackfillProgress(source, counts: counts, parkedHosts: try await ledger.parkedHostCount())
        let now = ProcessClock.now
        let rates = meter.took(ProgressMeter.Totals(items: progress.resolved, records: counts.records, bytes: counts.bytes), at: now)
        let hasEnded = source.state == .listed && counts.open == 0
        guard meter.tells(hasChanged: hasEnded || progress != told, at: now) else { return }
        try await append(progress, progress.body(rates), hasEnded: hasEnded)
        told = progress
        guard hasEnded else { return }
        enumerator.state.finished(source.pass)
        logger.notice("the backfill is finished", metadata: ["pass": "\(source.pass)", "listed": "\(source.listed)", "done": "\(counts.done)"])
    }

    /// Makes the pass's run. The one before it is ended where its last jobs are left to this pass.
    private mutating func begin(_ source: BackfillSource) async throws(LedgerError) {
        run = BackfillRun.id(host: source.host, pass: source.pass)
        meter = ProgressMeter()
        told = nil
        guard let run else { return logger.warning("no run can have this host's name: its backfill is told in the status only") }
        _ = try await ledger.createRun(run, kind: BackfillRun.kind, sinks: enumerator.configuration.sinks)
        if source.pass > 1, let earlier = BackfillRun.id(host: source.host, pass: source.pass - 1) {
            if try await ledger.run(earlier)?.state == .started { try await end(earlier) }
        }
        pass = source.pass
    }

    /// Another owner may have done it by now.
    private func end(_ earlier: RunID) async throws(LedgerError) {
        do throws(LedgerError) {
            _ = try await ledger.endRun(earlier, state: .cancelled)
        } catch {
            guard error.code == .runEnded else { throw error }
        }
    }

    /// Where the run was ended by somebody else, the source still has an end.
    private mutating func append(_ progress: BackfillProgress, _ body: [UInt8], hasEnded: Bool) async throws(LedgerError) {
        if let run {
            do throws(LedgerError) {
                _ = try await ledger.tellBackfill(
                    ownership.lease, pass: progress.pass, run: run, progress: body, open: progress.counts.open, failing: progress.counts.failing,
                    ending: hasEnded ? .finished : nil)
                return
            } catch {
                guard error.code == .runEnded else { throw error }
                logger.notice("the run was ended; the backfill goes on", metadata: ["run": "\(run)"])
                self.run = nil
            }
        }
        if hasEnded { try await ledger.noteBackfillSource(ownership.lease, state: .finished, error: "") }
    }
}
