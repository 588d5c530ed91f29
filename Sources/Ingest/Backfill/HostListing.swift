import Events
import Flow
import Ledger
import Logging
import Metrics
import ServiceLifecycle

/// Reads a host's list to its end, pass after pass.
///
/// A page is stored with the cursor behind it, or it is asked for again: no page is ever passed over. A list that can't be read on is begun again. Once
/// it is read, gaps that relays declare since are a reason to read it again and compare revisions.
struct HostListing {
    private let enumerator: HostEnumerator
    private let ownership: UpstreamOwnership
    private var retry: RetryPolicy
    /// Of passes that begin again: a list that goes in circles will do so again.
    private var beginnings: RetryPolicy
    private var watch: ListingWatch
    private var lastError = ""
    /// The ledger failed: it may have done what it was asked for, and the row says where the list stands.
    private var isStale = false
    private let pages: Counter
    private let listed: Counter
    private let dropped: Counter

    init(_ enumerator: HostEnumerator, _ ownership: UpstreamOwnership) {
        self.enumerator = enumerator
        self.ownership = ownership
        retry = RetryPolicy(limits: enumerator.configuration.retry)
        beginnings = RetryPolicy(limits: enumerator.configuration.beginAgain)
        watch = ListingWatch(cursor: enumerator.state.source?.cursor)
        let host = [("host", enumerator.host.name)]
        pages = Counter(label: "weir_backfill_pages", dimensions: host)
        listed = Counter(label: "weir_backfill_listed", dimensions: host)
        dropped = Counter(label: "weir_backfill_dropped", dimensions: host)
    }

    private var configuration: BackfillIngesterConfiguration { enumerator.configuration }
    private var state: EnumerationState { enumerator.state }
    private var logger: Logger { enumerator.logger }

    mutating func run() async -> ConnectionEnd {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let pause: Duration
            switch await step() {
            case .success(let wanted): pause = wanted
            case .failure(let error):
                if error.code == .fenced { return ConnectionEnd(.leaseLost) }
                logger.warning("the ledger failed the enumeration", metadata: ["error": "\(error)"])
                pause = failed(error.description)
                isStale = true
            }
            if pause > .zero { await Pause.sleep(pause) }
        }
        return ConnectionEnd(Task.isShuttingDownGracefully ? .shutdown : .cancelled)
    }

    /// One page, or one look for gaps; says how long to wait before the next.
    private mutating func step() async -> Result<Duration, LedgerError> {
        do throws(LedgerError) {
            if isStale { try await open() }
            guard let source = state.source else { return .success(configuration.roomPoll) }
            switch source.state {
            case .listing: return .success(try await list(source))
            case .listed, .finished: return .success(try await lookForGaps(source))
            }
        } catch {
            return .failure(error)
        }
    }

    private mutating func list(_ source: BackfillSource) async throws(LedgerError) -> Duration {
        if !state.hasRoom {
            let begun = ProcessClock.now
            let counts = try await enumerator.ledger.backfillCounts(source: source.host)
            // Counting takes a tenth of the time at most.
            guard state.hasRoom(open: counts.open) else { return max(configuration.roomPoll, (ProcessClock.now - begun) * 10) }
        }
        switch await ask(source) {
        case .success(let page): return try await store(page, source)
        case .failure(let failure): return try await take(failure, source)
        }
    }

    private func ask(_ source: BackfillSource) async -> Result<RepositoryListPage, ListingFailure> {
        do throws(ListingFailure) {
            return .success(try await enumerator.host.lister.page(enumerator.list, cursor: source.cursor, limit: configuration.pageEntries))
        } catch {
            return .failure(error)
        }
    }

    private mutating func store(_ answer: RepositoryListPage, _ source: BackfillSource) async throws(LedgerError) -> Duration {
        enumerator.seams.reached(.backfillBeforePage)
        let (page, droppedHere) = enumerator.listed(answer)
        let made = try await enumerator.ledger.storePage(ownership.lease, page: page, comparesRevisions: source.pass > 1)
        enumerator.seams.reached(.backfillAfterPage)
        state.stored(page, of: source.pass, made: made)
        pages.increment()
        listed.increment(by: page.entries.count)
        if droppedHere > 0 {
            dropped.increment(by: droppedHere)
            logger.debug("entries of a list are no repositories", metadata: ["count": "\(droppedHere)"])
        }
        retry.succeeded(at: ProcessClock.now)
        lastError = ""
        switch watch.received(next: answer.cursor, isEmpty: answer.entries.isEmpty) {
        case .end:
            beginnings.succeeded(at: ProcessClock.now)
            logger.notice("the list is read to its end", metadata: ["listed": "\(state.source?.listed ?? 0)", "pass": "\(source.pass)"])
            return .zero
        case .next(let pause): return pause
        case .circle: return try await beginAgain("a cursor of its list came twice", source)
        }
    }

    private mutating func take(_ failure: ListingFailure, _ source: BackfillSource) async throws(LedgerError) -> Duration {
        // A request that was given up because this process ends says nothing of the host.
        if Task.isCancelled || Task.isShuttingDownGracefully { return .zero }
        count("weir_backfill_failures", failure.word)
        switch failure {
        case .refusedCursor(let message) where source.cursor != nil:
            return try await beginAgain("it refuses the cursor of its list: \(message)", source)
        case .unsupported(let message):
            state.failed("it does not offer \(enumerator.list.method): \(message)")
            try await note("the host does not offer \(enumerator.list.method): \(message)")
            return configuration.unsupportedRetry * Double.random(in: 0.8...1.2)
        case .refusedCursor(let message):
            try await note(message)
            return failed(message)
        case .failed(let message, let retryAfter):
            try await note(message)
            return failed(message, retryAfter: retryAfter)
        }
    }

    private mutating func beginAgain(_ reason: String, _ source: BackfillSource) async throws(LedgerError) -> Duration {
        let text = "the host's list can't be read on, \(reason): the pass begins again (\(source.restarts + 1))"
        logger.warning("the pass begins again", metadata: ["reason": "\(reason)", "restarts": "\(source.restarts + 1)"])
        count("weir_backfill_restarts", "list")
        try await enumerator.ledger.rewindBackfillSource(ownership.lease, error: text)
        try await open()
        try await note(text)
        state.failed(text)
        var generator = SystemRandomNumberGenerator()
        return beginnings.failed(at: ProcessClock.now, using: &generator)
    }

    private mutating func lookForGaps(_ source: BackfillSource) async throws(LedgerError) -> Duration {
        let gaps = try await enumerator.ledger.declaredGaps()
        guard gaps > source.gapsSeen else { return configuration.gapPoll * Double.random(in: 0.8...1.2) }
        logger.notice("relays declared gaps: the list is read again", metadata: ["gaps": "\(gaps - source.gapsSeen)", "pass": "\(source.pass + 1)"])
        count("weir_backfill_restarts", "gap")
        try await enumerator.ledger.restartBackfillSource(ownership.lease, gapsSeen: gaps)
        try await open()
        return .zero
    }

    private mutating func open() async throws(LedgerError) {
        let source = try await enumerator.ledger.openBackfillSource(ownership.lease, method: enumerator.list.method)
        state.opened(source)
        watch = ListingWatch(cursor: source.cursor)
        isStale = false
    }

    /// Writes down what went wrong, once for each text.
    private mutating func note(_ error: String) async throws(LedgerError) {
        guard error != lastError else { return }
        logger.warning("the list could not be read", metadata: ["error": "\(error)"])
        try await enumerator.ledger.noteBackfillSource(ownership.lease, state: nil, error: error)
        lastError = error
    }

    private mutating func failed(_ reason: String, retryAfter: Duration? = nil) -> Duration {
        state.failed(reason)
        var generator = SystemRandomNumberGenerator()
        return retry.failed(at: ProcessClock.now, retryAfter: retryAfter, using: &generator)
    }

    private func count(_ label: String, _ reason: String) {
        Counter(label: label, dimensions: [("host", enumerator.host.name), ("reason", reason)]).increment()
    }
}
