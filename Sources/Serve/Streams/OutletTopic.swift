import DequeModule
import Events
import Synchronization

/// A run that clients of this process follow: its recent events, shared by all of them, within a bound.
///
/// One task appends (``TopicReader``); clients on any event loop take slices from where they stand. A client that
/// stands before what is kept reads on by itself (``LogReader``) and comes back: so none has a buffer of its own, and none is made to lose events.
final class OutletTopic: Sendable {
    let run: RunID
    private let limits: Limits
    private let state: Mutex<State>

    struct Limits: Hashable, Sendable {
        var events: Int
        var bytes: Int
    }

    private struct State {
        /// At most ``Limits/bytes``: all followed runs share what there is for them.
        var bytesMax: Int
        /// Items end at a seq above this. Nil: not followed yet.
        var base: Int64?
        /// The last seq that is here; the base while there is none.
        var tip: Int64 = 0
        var items: Deque<StreamItem> = []
        var bytes = 0
    }

    enum Slice {
        case items([StreamItem])
        case upToDate
        /// The cursor is before what is kept, or the run is not followed yet.
        case behind
    }

    init(run: RunID, limits: Limits) {
        self.run = run
        self.limits = limits
        state = Mutex(State(bytesMax: limits.bytes))
    }

    /// The seq up to which it has been read; nil while it is not followed.
    var tip: Int64? { state.withLock { $0.base == nil ? nil : $0.tip } }

    /// Begins to be followed from a seq that some client has reached; false where it is followed already.
    func activate(at seq: Int64) -> Bool {
        state.withLock { state in
            guard state.base == nil else { return false }
            state.base = seq
            state.tip = seq
            return true
        }
    }

    /// Appends what follows the tip; items at or below it are left out. The oldest are let go above the bounds, and the newest too where it alone is
    /// above them: its readers then read on by themselves.
    ///
    /// - Returns: whether there was something new.
    func append(_ new: [StreamItem]) -> Bool {
        state.withLock { state in
            guard state.base != nil else { return false }
            let old = state.tip
            for item in new where item.through > state.tip {
                state.items.append(item)
                state.bytes += item.size
                state.tip = item.through
            }
            trim(&state)
            return state.tip > old
        }
    }

    /// From here on keeps so many bytes at most; what is above is let go at once.
    func keep(bytes: Int) {
        state.withLock { state in
            let bytesMax = min(bytes, limits.bytes)
            guard bytesMax != state.bytesMax else { return }
            state.bytesMax = bytesMax
            trim(&state)
        }
    }

    /// Bytes of what is kept, about.
    var bytes: Int { state.withLock { $0.bytes } }

    private func trim(_ state: inout State) {
        while state.items.count > limits.events || state.bytes > state.bytesMax, let oldest = state.items.popFirst() {
            state.bytes -= oldest.size
            state.base = oldest.through
        }
    }

    func slice(after cursor: Int64, limit: Int) -> Slice {
        state.withLock { state in
            guard let base = state.base, cursor >= base else { return .behind }
            if cursor >= state.tip { return .upToDate }
            let first = state.items.firstIndexAbove(cursor)
            return .items(Array(state.items[first..<min(first + limit, state.items.count)]))
        }
    }
}

extension Deque<StreamItem> {
    /// Items are in order of seq, so halving finds it.
    fileprivate func firstIndexAbove(_ cursor: Int64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].through > cursor { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
