internal import CoreMetrics
internal import Events
internal import Flow
internal import Hosts
internal import Logging
internal import Metrics
internal import ServiceLifecycle

/// Finds for a batch what DID documents say (``DocumentSource``): memory, then the ledger, then HTTP; what is not there in time is `pending`, never
/// waited for.
///
/// Answers are bounded in memory, kept in the ledger for the whole fleet, and served while a newer document is fetched. Fetches run inside
/// ``run()``, a bounded number at once, and go on after a batch stopped waiting for them, so that a slow directory still fills the cache. A circuit
/// breaker guards the directory. A crash loses nothing but fetches under way.
actor DocumentResolver<Documents: DocumentSource>: Service {
    typealias Answer = DocumentAnswer<Documents.Known>

    private enum Entry: Sendable {
        case known(Documents.Known)
        case absent(reason: String, at: MonotonicTime)
    }

    private struct Waiter {
        var missing: Set<String>
        var continuation: CheckedContinuation<Void, Never>
    }

    private let configuration: IdentityConfiguration
    private let documents: Documents
    private let connections: HostConnections
    private let clock: WorkClock
    private let logger: Logger
    private let fetched = Counter(label: Documents.metric, dimensions: [("outcome", "found")])
    private let fetchedAbsent = Counter(label: Documents.metric, dimensions: [("outcome", "absent")])
    private let fetchFailed = Counter(label: Documents.metric, dimensions: [("outcome", "failed")])

    private var cache: GenerationCache<String, Entry>
    private var lastFetch: GenerationCache<String, MonotonicTime>
    private var breaker = CircuitBreaker(failureThreshold: 20, recoveryTime: .seconds(5))
    private var underWay: Set<String> = []
    private var unsaved: [Documents.Fetched] = []
    private var waiters: [Int: Waiter] = [:]
    private var lastWaiter = 0
    private let queue: AsyncStream<String>
    private let queueInput: AsyncStream<String>.Continuation

    /// - Parameter connections: closed at the end.
    init(_ documents: Documents, configuration: IdentityConfiguration, connections: HostConnections, clock: WorkClock, logger: Logger) {
        self.documents = documents
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        self.connections = connections
        cache = GenerationCache(entries: configuration.cacheEntries)
        lastFetch = GenerationCache(entries: 10_000)
        (queue, queueInput) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(configuration.queueLength))
    }

    /// Runs the fetches until shutdown; waiting batches then get `pending`.
    func run() async throws {
        await cancelWhenGracefulShutdown { await self.fetchQueued() }
        try await close()
    }

    /// Ends what waits and closes the connections; whoever does not call ``run()`` calls this.
    func close() async throws {
        queueInput.finish()
        for id in Array(waiters.keys) { expire(id) }
        await connections.close()
    }

    private func fetchQueued() async {
        await withTaskGroup(of: Void.self) { group in
            var active = 0
            for await did in queue {
                if active >= configuration.concurrentFetches {
                    await group.next()
                    active -= 1
                }
                group.addTask { await self.fetch(did) }
                active += 1
            }
        }
    }

    /// An answer for each DID, within about `batchWait`.
    func resolve(_ dids: Set<String>) async -> [String: Answer] {
        var answers: [String: Answer] = [:]
        var missing = answerFromMemory(dids, into: &answers)
        if missing.isEmpty { return answers }
        await readLedger(missing)
        missing = answerFromMemory(missing, into: &answers)
        if missing.isEmpty { return answers }
        await fetchAndWait(missing)
        for did in answerFromMemory(missing, into: &answers) { answers[did] = .pending }
        return answers
    }

    /// Fetches documents again after bad signatures, at most once an interval each; the answers that stand afterwards.
    ///
    /// A DID that was fetched within the interval, or can't be had now, keeps its answer.
    func refresh(_ dids: Set<String>) async -> [String: Answer] {
        let now = clock.monotonic()
        let due = dids.filter { did in
            guard let last = lastFetch.value(did) else { return true }
            return now - last >= configuration.refreshInterval
        }
        if !due.isEmpty { await fetchAndWait(due) }
        var answers: [String: Answer] = [:]
        for did in answerFromMemory(dids, into: &answers) { answers[did] = .pending }
        return answers
    }

    /// Identity events of these DIDs were read: a signature that fails from here on may mean another key, however fresh the last fetch is.
    func announced(_ dids: some Sequence<String> & Sendable) {
        for did in dids { lastFetch.remove(did) }
    }

    /// Fetches again without waiting, after an identity event.
    func changed(_ dids: some Sequence<String> & Sendable) {
        for did in dids { enqueue(did) }
    }

    /// Answers what memory knows; returns the rest.
    private func answerFromMemory(_ dids: Set<String>, into answers: inout [String: Answer]) -> Set<String> {
        var missing = Set<String>()
        let now = clock.monotonic()
        for did in dids {
            switch cache.value(did) {
            case .known(let identity):
                answers[did] = .known(identity)
                let age = clock.wall().microseconds - identity.fetchedAt.microseconds
                if age > configuration.lifetime.milliseconds * 1000 { enqueue(did) }
            case .absent(let reason, let at) where now - at < configuration.negativeLifetime:
                answers[did] = .absent(reason: reason)
            case .absent, nil: missing.insert(did)
            }
        }
        return missing
    }

    private func readLedger(_ dids: Set<String>) async {
        do {
            for (did, known) in try await documents.load(dids.sorted()) { cache.insert(.known(known), for: did) }
        } catch {
            logger.warning("identities can't be read", metadata: ["error": "\(error)"])
        }
    }

    private func fetchAndWait(_ dids: Set<String>) async {
        let accepted = dids.filter { enqueue($0) }
        guard !accepted.isEmpty else { return }
        lastWaiter += 1
        let id = lastWaiter
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(id, for: accepted) }
            group.addTask {
                // A time limit, ended early by the cancellation below.
                try? await Task.sleep(for: self.configuration.batchWait)
                await self.expire(id)
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(_ id: Int, for dids: Set<String>) async {
        await withCheckedContinuation { continuation in
            let missing = dids.intersection(underWay)
            if missing.isEmpty || Task.isCancelled {
                continuation.resume()
            } else {
                waiters[id] = Waiter(missing: missing, continuation: continuation)
            }
        }
    }

    private func expire(_ id: Int) { waiters.removeValue(forKey: id)?.continuation.resume() }

    /// False where the queue is full.
    @discardableResult
    private func enqueue(_ did: String) -> Bool {
        if underWay.contains(did) { return true }
        guard case .enqueued = queueInput.yield(did) else { return false }
        underWay.insert(did)
        return true
    }

    private func fetch(_ did: String) async {
        let outcome = await guarded(did)
        switch outcome {
        case .found(let document):
            fetched.increment()
            cache.insert(.known(documents.known(document)), for: did)
            lastFetch.insert(clock.monotonic(), for: did)
            unsaved.append(document)
        case .absent(let reason):
            fetchedAbsent.increment()
            lastFetch.insert(clock.monotonic(), for: did)
            cache.insert(.absent(reason: reason, at: clock.monotonic()), for: did)
        case .failed(let reason):
            fetchFailed.increment()
            logger.debug("identity not fetched", metadata: ["did": "\(did)", "reason": "\(reason)"])
        }
        underWay.remove(did)
        for (id, waiter) in waiters where waiter.missing.contains(did) {
            waiters[id]?.missing.remove(did)
            if waiters[id]?.missing.isEmpty == true { expire(id) }
        }
        if unsaved.count >= 64 || underWay.isEmpty { await save() }
    }

    private func guarded(_ did: String) async -> DIDFetcher.Outcome<Documents.Fetched> {
        guard DIDLocation(did) == .directory else { return await documents.fetch(did, now: clock.wall()) }
        guard let permit = breaker.admit(at: clock.monotonic()) else { return .failed(reason: "the directory's breaker is open") }
        let outcome = await documents.fetch(did, now: clock.wall())
        if case .failed = outcome {
            if Task.isCancelled { breaker.abandoned(permit) } else { breaker.failed(permit, at: clock.monotonic()) }
        } else {
            breaker.succeeded(permit)
        }
        return outcome
    }

    private func save() async {
        guard !unsaved.isEmpty else { return }
        let rows = unsaved
        unsaved = []
        do {
            try await documents.store(rows)
        } catch {
            // They stand in memory; another process fetches them for itself.
            logger.warning("identities can't be stored", metadata: ["error": "\(error)", "count": "\(rows.count)"])
        }
    }
}
