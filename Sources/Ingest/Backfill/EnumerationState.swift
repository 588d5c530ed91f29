import Events
import Flow
import Ledger
import Synchronization

/// What one enumeration knows of itself, shared by who lists, who tells and who reports.
final class EnumerationState: Sendable {
    private struct State {
        var source: BackfillSource?
        /// Open jobs when they were last counted, the jobs that pages had made then, and those that they have made now.
        var open: Int64 = 0
        var madeThen: Int64 = 0
        var made: Int64 = 0
        var room: HighWaterGate
        var report = UpstreamReport(state: .connecting)
    }

    private let state: Mutex<State>
    private let pageEntries: Int

    /// - Parameter jobsMax: open jobs that there may be with another page, which has `pageEntries`. Where there may not, listing goes on once they are
    ///   three quarters of it.
    init(jobsMax: Int, pageEntries: Int) {
        self.pageEntries = pageEntries
        let low = max(jobsMax / 4 * 3, pageEntries)
        state = Mutex(State(room: HighWaterGate(limits: HighWaterGate.Limits(highEntries: jobsMax + 1, lowEntries: low, highBytes: .max))))
    }

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
            guard made >= state.madeThen else { return }
            (state.open, state.madeThen) = (open, made)
        }
    }

    /// Jobs that pages have made.
    var made: Int64 { state.withLock { $0.made } }

    func finished(_ pass: Int) {
        state.withLock { state in
            guard state.source?.pass == pass else { return }
            state.source?.state = .finished
            state.report.reason = "finished"
        }
    }

    /// Whether another page may be asked for by what was counted last; a page that was stored meanwhile may have been counted twice. Where false, it has
    /// to be counted.
    var hasRoom: Bool {
        state.withLock { state in
            state.room.decision.isOpen && Int(clamping: state.open + state.made - state.madeThen) + pageEntries <= state.room.limits.highEntries - 1
        }
    }

    /// Takes a count of open jobs that was made while no page was on its way; says whether another may be asked for, also in the report.
    func hasRoom(open: Int64) -> Bool {
        state.withLock { state in
            (state.open, state.madeThen) = (open, state.made)
            let isOpen = state.room.measured(HighWaterGate.Levels(entries: [Int(clamping: open) + pageEntries])).isOpen
            state.report.state = isOpen ? .streaming : .paused
            state.report.reason = isOpen ? "" : "\(open) listed repositories wait to be fetched (backfill.jobs_max)"
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
