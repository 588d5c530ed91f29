import Events
import Flow
import Ledger
import Synchronization

/// What one enumeration knows of itself, shared by who lists, who tells and who reports.
final class EnumerationState: Sendable {
    private struct State {
        var source: BackfillSource?
        /// Open jobs when they were last counted, and those that pages made since.
        var open: Int64 = 0
        var made: Int64 = 0
        var room: HighWaterGate
        var report = UpstreamReport(state: .connecting)
    }

    private let state: Mutex<State>

    /// - Parameter jobsMax: open jobs at which listing pauses; it goes on at three quarters of it.
    init(jobsMax: Int) { state = Mutex(State(room: HighWaterGate(limits: HighWaterGate.Limits(highEntries: jobsMax, highBytes: .max)))) }

    /// Nil before it was opened.
    var source: BackfillSource? { state.withLock { $0.source } }
    var report: UpstreamReport { state.withLock { $0.report } }

    func opened(_ source: BackfillSource) {
        state.withLock { state in
            state.source = source
            state.report = UpstreamReport(state: .streaming, events: source.listed)
        }
    }

    /// A page was stored. Nothing changes where the pass is another one by now.
    func stored(_ page: ListedPage, of pass: Int, made: Int) {
        state.withLock { state in
            guard state.source?.pass == pass else { return }
            state.source?.cursor = page.cursor
            state.source?.state = page.cursor == nil ? .listed : .listing
            state.source?.listed += Int64(page.entries.count)
            state.made += Int64(made)
            state.report.events = state.source?.listed ?? 0
            state.report.lastMessageAt = ProcessClock.wall
            state.report.state = .streaming
            state.report.reason = page.cursor == nil ? "listed" : ""
        }
    }

    /// - Parameter made: what ``made`` gave before the count.
    func counted(open: Int64, since made: Int64) {
        state.withLock { state in
            state.open = open
            state.made = max(0, state.made - made)
        }
    }

    /// Jobs of pages since the last count.
    var made: Int64 { state.withLock { $0.made } }

    func finished(_ pass: Int) {
        state.withLock { state in
            guard state.source?.pass == pass else { return }
            state.source?.state = .finished
            state.report.reason = "finished"
        }
    }

    /// Whether another page may be asked for; says so in the report.
    func hasRoom() -> Bool {
        state.withLock { state in
            let isOpen = state.room.measured(HighWaterGate.Levels(entries: [Int(clamping: state.open + state.made)])).isOpen
            state.report.state = isOpen ? .streaming : .paused
            state.report.reason = isOpen ? "" : "\(state.open + state.made) listed repositories wait to be fetched (backfill.jobs_max)"
            return isOpen
        }
    }

    func failed(_ reason: String) {
        state.withLock { state in
            state.report.state = .backingOff
            state.report.reason = reason
        }
    }
}
