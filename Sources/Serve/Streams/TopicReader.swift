import Broker
import Events
import Flow
import Ledger
import Logging

/// Reads all followed runs on one blocking connection and gives what comes to their topics.
///
/// A read brings the same number of events of each run at most. Runs that had that many are read again right behind it, by themselves and with all of the
/// room, so that a burst in one run does not arrive in small pieces; then it is everyone's turn again.
///
/// At each heartbeat it compares with `next_seq`: an outlet that was lost says nothing by itself, so what is published and has
/// not come is read from Postgres. While Redis does not answer, that comparison is all there is, each time it is tried again.
struct TopicReader: Sendable {
    let board: TopicBoard
    let reader: LogReader
    let heartbeatEvery: Duration
    /// How long one read waits: also how long a run that begins to be followed may wait for it.
    let block: Duration
    /// Clients are told at most once in this time, so that one write carries what came in it.
    let coalesce: Duration
    /// About how many bytes of events one read may bring, over all runs.
    let bytesMax: Int
    let retry: RetryPolicy.Limits
    let metrics: StreamMetrics
    let logger: Logger

    /// Until cancelled.
    ///
    /// - Parameter advanced: told which runs have something new.
    func run(_ advanced: @Sendable (Set<RunID>) -> Void) async {
        var policy = RetryPolicy(limits: retry)
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let started = MonotonicTime.current
            do {
                try await reader.outlet.withFollower { follower in try await follow(follower, advanced) }
                return
            } catch {
                if Task.isCancelled { return }
                policy.succeeded(at: started)
                let delay = policy.failed(at: .current, using: &generator)
                logger.warning("outlets cannot be read", metadata: ["error": "\(error)", "retry_after_ms": "\(delay.milliseconds)"])
                _ = await compare(board.followed(now: .current), advanced)
                try? await Task.sleep(for: delay)
            }
        }
    }

    private func follow(_ follower: any OutletFollowing, _ advanced: @Sendable (Set<RunID>) -> Void) async throws {
        var comparedAt = MonotonicTime.current
        var share = ReadShare<RunID>(
            count: AdaptiveCount(targetBytes: bytesMax, maxCount: .max, expectedEntryBytes: 1 << 10), mostOfOne: reader.eventsMax)
        while !Task.isCancelled {
            let topics = board.followed(now: .current)
            if topics.isEmpty {
                // A stream has one waiter at a time, and this task is the only one.
                var changes = board.changes.makeAsyncIterator()
                _ = await changes.next()
                continue
            }
            let started = MonotonicTime.current
            var moved = try await read(follower, topics, block: block, &share)
            if !moved.isEmpty { advanced(moved) }
            let full = topics.filter { share.full.contains($0.run) }
            if !full.isEmpty {
                let more = try await read(follower, full, block: .zero, &share)
                if !more.isEmpty { advanced(more) }
                moved.formUnion(more)
            }
            if MonotonicTime.current - comparedAt >= heartbeatEvery {
                // Who is still behind is looked at again in the next round.
                if await compare(topics, advanced) { comparedAt = .current }
            }
            let spent = MonotonicTime.current - started
            if !moved.isEmpty, share.full.isEmpty, spent < coalesce { try await Task.sleep(for: coalesce - spent) }
        }
    }

    /// - Returns: the runs that have something new.
    private func read(
        _ follower: any OutletFollowing, _ topics: [OutletTopic], block: Duration, _ share: inout ReadShare<RunID>
    ) async throws -> Set<RunID> {
        var moved: Set<RunID> = []
        var tips: [RunID: Int64] = [:]
        for topic in topics { tips[topic.run] = topic.tip }
        do {
            let asked = share.ask(of: topics.count)
            let read = try await follower.read(after: tips, countPerRun: asked, block: block)
            share.read(read.mapValues { (entries: $0.count, bytes: $0.reduce(0) { $0 + $1.memoryBytes }) }, asked: asked)
            for topic in topics {
                guard let events = read[topic.run], try await take(events, topic) else { continue }
                moved.insert(topic.run)
            }
        } catch let error as BrokerError where error.code == .corrupt {
            share.failed()
            // An entry that is not Weir's, in the outlet of one run: until its publisher rebuilds it, each run is asked by itself, so that the
            // others go on and that one is read from Postgres.
            logger.warning("an outlet has an entry that is not Weir's", metadata: ["error": "\(error)"])
            for topic in topics where try await readOn(topic) { moved.insert(topic.run) }
            try await Task.sleep(for: block)
        }
        return moved
    }

    /// - Returns: whether the topic has something new.
    private func take(_ events: [Events.LogEvent], _ topic: OutletTopic) async throws -> Bool {
        guard let tip = topic.tip else { return false }
        switch CursorStep(after: tip, events: events) {
        case .deliver(let events): return topic.append(events.map(StreamItem.event))
        case .nothing: return false
        case .hole: return try await readOn(topic)
        }
    }

    /// One step of the one-cursor rule; the next round goes on from there.
    private func readOn(_ topic: OutletTopic) async throws -> Bool {
        guard let tip = topic.tip else { return false }
        let step = try await reader.step(run: topic.run, after: tip)
        metrics.read(step)
        return topic.append(step.items)
    }

    /// Steps of reading that one run gets before it is the others' turn.
    private static let stepsMax = 16

    /// - Returns: false where a run is still behind what is published.
    private func compare(_ topics: [OutletTopic], _ advanced: @Sendable (Set<RunID>) -> Void) async -> Bool {
        guard !topics.isEmpty else { return true }
        var areAllThere = true
        do {
            let summaries = try await reader.store.runs(topics.map(\.run))
            for topic in topics {
                let published = (summaries[topic.run]?.nextSeq[reader.sink] ?? 1) - 1
                var steps = 0
                while let tip = topic.tip, published > tip, steps < Self.stepsMax, try await readOn(topic) {
                    advanced([topic.run])
                    steps += 1
                }
                if steps == Self.stepsMax { areAllThere = false }
            }
        } catch {
            logger.warning("published seqs cannot be compared", metadata: ["error": "\(error)"])
        }
        return areAllThere
    }
}
