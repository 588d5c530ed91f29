import Events

@testable import Flow

extension ModelHistory {
    /// One batch of a shard's owner: read, apply, and commit all of it or (killed, or fenced as a zombie) nothing.
    mutating func work(_ shard: Int, reliably: Bool = false) {
        guard !shards[shard].halted else { return }
        var trackers = memory[shard] ?? load(shard)
        var row = shards[shard]
        var asked: [(relay: Int, session: Int64)] = []
        let limit = reliably ? Int.max : 1 + random.below(12)
        var read = 0
        for item in streams[shard] where item.id > row.offset {
            if read >= limit { break }
            read += 1
            row.offset = item.id
            let relay = item.entry.host == "a" ? 0 : 1
            let before = trackers[relay].state.watermark
            learnBaseline(&trackers[relay], before: item.entry, relay, shard, &row)
            let verdict = trackers[relay].received(item.entry)
            if let before, let after = trackers[relay].state.watermark, after < before {
                violation = "the watermark of relay \(relay), shard \(shard) went back from \(before) to \(after)"
                return
            }
            take(verdict, item.entry, relay, shard, &row, &asked)
            switch verdict {
            case .barrier, .opened: raise(trackers[relay].state.watermark, relay, &row)
            default: break
            }
            row.sessions[relay] = trackers[relay].state.sessions
            if violation != nil { return }
        }
        guard read > 0 else { return }
        if !reliably, random.once(in: 5) {
            memory[shard] = nil
            note(.workerKilled)
            return
        }
        shards[shard] = row
        memory[shard] = trackers
        for (relay, session) in asked where (rewinds[relay] ?? 0) < session { rewinds[relay] = session }
        if random.once(in: 2) { streams[shard].removeAll { $0.id <= row.offset } }
    }

    /// What a new owner reads.
    private func load(_ shard: Int) -> [SessionTracker] {
        relays.indices.map { relay in
            SessionTracker(state: .init(watermark: watermark(relay, shard), sessions: shards[shard].sessions[relay]), sessionsKept: 3)
        }
    }

    /// As a worker does before an entry that it would refuse for what only the ledger knows.
    private mutating func learnBaseline(
        _ tracker: inout SessionTracker, before entry: UpstreamEntry, _ relay: Int, _ shard: Int, _ row: inout Shard
    ) {
        guard let watermark = tracker.state.watermark else {
            let known = ledger == .raisesBaseline ? committed(relay) : self.watermark(relay, shard)
            tracker = SessionTracker(state: .init(watermark: known, sessions: tracker.state.sessions), sessionsKept: 3)
            return learnBaseline(&tracker, before: entry, relay, shard, &row)
        }
        guard entry.kind == .open, entry.position.epoch > watermark.epoch, !tracker.accepts(from: entry.position, gap: entry.gap) else { return }
        guard let gap = tracker.renumbered(at: committed(relay)) else { return }
        note(.renumberedByLedger)
        excuse(gap, relay, shard, &row)
        raise(gap.through, relay, &row)
    }

    /// A committed watermark only rises.
    private func raise(_ watermark: Position?, _ relay: Int, _ row: inout Shard) {
        guard let watermark else { return }
        row.watermarks[relay] = max(row.watermarks[relay] ?? watermark, watermark)
    }

    private func excuse(_ gap: UpstreamEntry.Gap, _ relay: Int, _ shard: Int, _ row: inout Shard) {
        for message in relays[relay].history where message.key % shardCount == shard {
            guard message.position > gap.after, message.position <= gap.through else { continue }
            row.excused[relay][message.key] |= 1 << UInt64(message.rev)
        }
    }

    private mutating func take(
        _ verdict: SessionTracker.Verdict, _ entry: UpstreamEntry, _ relay: Int, _ shard: Int, _ row: inout Shard,
        _ asked: inout [(relay: Int, session: Int64)]
    ) {
        switch verdict {
        case .apply:
            apply(entry, relay, &row)
            if let left = row.shed[relay], entry.session > left {
                row.shed[relay] = nil
                note(.shedCaughtUp)
            }
        case .duplicate: note(.duplicateSeen)
        case .stale: note(.staleSeen)
        case .opened(let gap):
            if let gap {
                note(.gapDeclared)
                excuse(gap, relay, shard, &row)
            }
            check(entry.position, relay, shard, row)
        case .barrier(let watermark): check(watermark, relay, shard, row)
        case .hole(let session, _, _):
            note(.holeSeen)
            asked.append((relay, session))
        case .unopened(let session):
            note(.unopenedSeen)
            asked.append((relay, session))
        case .shed(let session):
            row.shed[relay] = session
            asked.append((relay, session))
        }
    }

    /// Logs an event as the repository chain does: not above the key's last rev is dropped; above the next one must be what was declared gone.
    private mutating func apply(_ entry: UpstreamEntry, _ relay: Int, _ row: inout Shard) {
        guard let key = Int(entry.did), let rev = Int(entry.rev) else { return }
        let last = row.lastRev[key]
        guard rev > last else { return }
        // What this relay never said, since its first session began later, another one may still bring: that is for the chain, not for the session.
        for skipped in (last + 1)..<rev where !isGone(skipped, key, relay, row) && isPromised(skipped, key, relay) {
            violation = "rev \(rev) of key \(key) passed rev \(skipped) of relay \(relay)"
        }
        row.lastRev[key] = rev
        row.logged[key] |= 1 << UInt64(rev)
    }

    private func isGone(_ rev: Int, _ key: Int, _ relay: Int, _ row: Shard) -> Bool {
        let bit: UInt64 = 1 << UInt64(rev)
        return row.excused.contains { $0[key] & bit != 0 } || declared.contains { $0[key] & bit != 0 }
    }

    /// Whether a relay's message lies behind the position from which its first session started.
    private func isPromised(_ rev: Int, _ key: Int, _ relay: Int) -> Bool {
        guard let start = starts[relay] else { return false }
        return relays[relay].history.contains { $0.key == key && $0.rev == rev && $0.position > start }
    }

    private mutating func check(_ watermark: Position, _ relay: Int, _ shard: Int, _ row: Shard) {
        guard let start = starts[relay] else { return }
        for message in relays[relay].history where message.key % shardCount == shard {
            guard message.position > start, message.position <= watermark else { continue }
            let bit: UInt64 = 1 << UInt64(message.rev)
            if row.logged[message.key] & bit != 0 || isGone(message.rev, message.key, relay, row) { continue }
            // Left out by a relay that began later: passed on by another one, in order, before its own first session.
            if row.lastRev[message.key] > message.rev, !isPromisedByAll(message) { continue }
            violation = "rev \(message.rev) of key \(message.key) is missing below \(watermark) of relay \(relay), shard \(shard)"
            return
        }
    }

    private func isPromisedByAll(_ message: ModelRelay.Message) -> Bool {
        relays.indices.allSatisfy { isPromised(message.rev, message.key, $0) }
    }

    /// No fault any more: zombies are gone, shards are well, and within a few rounds everything is in the log.
    mutating func settle() {
        zombies.removeAll()
        late.removeAll()
        for shard in shards.indices { shards[shard].halted = false }
        for relay in relays.indices { while relays[relay].emit(&random) {} }
        for _ in 0..<12 {
            for relay in relays.indices { ingestReliably(relay) }
            for shard in shards.indices where violation == nil { work(shard, reliably: true) }
            if violation != nil || isComplete { return }
        }
        violation = "no progress: watermarks \(relays.indices.map { committed($0) }) of \(relays.map(\.last)), rewinds \(rewinds)"
    }

    private var isComplete: Bool {
        rewinds.allSatisfy { $0 == nil } && relays.indices.allSatisfy { committed($0) == relays[$0].last }
    }

    private mutating func ingestReliably(_ relay: Int) {
        if ingesters[relay] == nil || relays[relay].epoch > (ingesters[relay]?.epoch ?? 0) || rewinds[relay] == currentSession[relay] {
            ingesters[relay] = open(relay, reliably: true)
        }
        rewinds[relay] = nil
        guard var ingester = ingesters[relay] else { return }
        for (append, outcome) in ingester.underWay { ingester.writer.settle(append, outcome) }
        ingester.underWay.removeAll()
        while true {
            ingester.read(relays[relay], upTo: 8, shards: shardCount)
            ingester.writer.barrier()
            while let append = ingester.writer.next() {
                write(append, while: { _ in true })
                ingester.writer.settle(append, .accepted)
            }
            if ingester.next >= relays[relay].history.count { break }
        }
        ingesters[relay] = ingester
    }
}
