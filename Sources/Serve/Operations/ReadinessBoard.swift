import Broker
import Events

/// Asks all sources, at most once in a while: however often `/ready` is asked, the ledger is not.
actor ReadinessBoard {
    private let sources: [any ReadinessSource]
    private let keepFor: Duration
    private var last: (reasons: [ReadinessReason], at: MonotonicTime)?

    init(sources: [any ReadinessSource], keepFor: Duration) {
        self.sources = sources
        self.keepFor = keepFor
    }

    func reasons() async -> [ReadinessReason] {
        if let last, MonotonicTime.current - last.at < keepFor { return last.reasons }
        var reasons: [ReadinessReason] = []
        for source in sources { reasons += await source.reasons() }
        last = (reasons, .current)
        return reasons
    }
}
