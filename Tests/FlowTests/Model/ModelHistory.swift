import Events

@testable import Flow

/// A random history of relays, ingesters, Redis, workers and Postgres, with the real ``SessionWriter`` and ``SessionTracker`` between them.
///
/// Checked on the way: an entry that is applied leaves no earlier one of its key behind, and at each barrier everything at or below the watermark is in the
/// log or was declared gone. Afterwards, without faults, everything arrives.
struct ModelHistory {
    static let names = (0...64).map { String($0) }
    static let keys = 6

    struct StreamEntry {
        var id: Int
        var entry: UpstreamEntry
    }

    /// What Postgres holds for a shard.
    struct Shard {
        var offset = 0
        /// By relay; nil before the first entry of it.
        var trackers: [SessionTracker.State?]
        /// A bit for each rev, by key.
        var logged = [UInt64](repeating: 0, count: ModelHistory.keys)
        var lastRev = [Int](repeating: 0, count: ModelHistory.keys)
        /// By relay, then key: declared gone.
        var excused: [[UInt64]]
        var halted = false
    }

    var random: SplitMix64
    let shardCount: Int
    var relays: [ModelRelay]
    var streams: [[StreamEntry]]
    var shards: [Shard]
    var hints: [Position?]
    var ingesters: [ModelIngester?]
    var zombies: [ModelIngester] = []
    var late: [SessionWriter.Append] = []
    var currentSession: [Int64]
    var sessions: Int64 = 0
    var baselines: [Position?]
    /// From where each relay's very first session started, for the checks alone.
    var starts: [Position?]
    var rewinds: [Int64?]
    var nextID = 1
    var seen = [Int](repeating: 0, count: ModelFault.allCases.count)
    var violation: String?

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        let relayCount = 1 + random.below(2)
        shardCount = 1 + random.below(3)
        relays = (0..<relayCount).map { _ in ModelRelay(keys: Self.keys) }
        streams = Array(repeating: [], count: shardCount)
        let excused = [[UInt64]](repeating: [UInt64](repeating: 0, count: Self.keys), count: relayCount)
        shards = (0..<shardCount).map { _ in Shard(trackers: Array(repeating: nil, count: relayCount), excused: excused) }
        hints = Array(repeating: nil, count: relayCount)
        ingesters = Array(repeating: nil, count: relayCount)
        currentSession = Array(repeating: 0, count: relayCount)
        baselines = Array(repeating: nil, count: relayCount)
        starts = Array(repeating: nil, count: relayCount)
        rewinds = Array(repeating: nil, count: relayCount)
    }

    mutating func note(_ fault: ModelFault) { seen[fault.rawValue] += 1 }

    /// Runs `steps` random steps, then lets everything come to rest. The first violation ends it.
    mutating func run(steps: Int) {
        for _ in 0..<steps where violation == nil { step() }
        if violation == nil { settle() }
    }

    private mutating func step() {
        let relay = random.below(relays.count)
        switch random.below(20) {
        case 0, 1, 2: for _ in 0...random.below(3) { _ = relays[relay].emit(&random) }
        case 3...8: ingest(relay)
        case 9...14: work(random.below(shardCount))
        case 15: runZombie()
        case 16: executeLate()
        default: if random.once(in: 2) { fault(relay) }
        }
    }

    // MARK: - Faults

    private mutating func fault(_ relay: Int) {
        let shard = random.below(shardCount)
        switch random.below(9) {
        case 0:
            guard !streams[shard].isEmpty else { return }
            streams[shard].remove(at: random.below(streams[shard].count))
            note(.entryLost)
        case 1:
            // The last second of the append-only file: every shard loses what came after one moment.
            let from = nextID - 1 - random.below(12)
            for shard in streams.indices { streams[shard].removeAll { $0.id > from } }
            note(.tailLost)
        case 2:
            if let ingester = ingesters[relay], ingester.hint != nil { note(.hintAfterFlush) }
            for shard in streams.indices { streams[shard].removeAll() }
            for relay in hints.indices { hints[relay] = nil }
            note(.flush)
        case 3:
            guard ingesters[relay] != nil else { return }
            ingesters[relay] = nil
            note(.ingesterRestart)
        case 4:
            guard let old = ingesters[relay] else { return }
            zombies.append(old)
            ingesters[relay] = nil
            note(.ingesterZombie)
        case 5:
            guard random.once(in: 3), !relays[relay].history.isEmpty else { return }
            relays[relay].reset()
            note(.relayReset)
        case 6:
            guard random.once(in: 2) else { return }
            relays[relay].forget(1 + random.below(6))
            note(.windowPassed)
        case 7:
            shards[shard].halted.toggle()
            if shards[shard].halted { note(.shardHalted) }
        default:
            guard shards[shard].halted, let ingester = ingesters[relay], !ingester.writer.shedShards.contains(shard) else { return }
            ingesters[relay]?.writer.shed([shard])
            note(.shardShed)
        }
    }

    // MARK: - Ingest

    mutating func ingest(_ relay: Int) {
        guard var ingester = ingesters[relay] else {
            ingesters[relay] = open(relay)
            return
        }
        if relays[relay].epoch > ingester.epoch {
            ingesters[relay] = open(relay)
            return
        }
        if let named = rewinds[relay] {
            if named == ingester.session {
                note(.rewindHonoured)
                ingesters[relay] = open(relay)
                return
            }
            rewinds[relay] = nil
            note(.rewindOutdated)
        }
        advance(&ingester)
        if let hint = ingester.hint, random.once(in: 2) {
            hints[relay] = hint
            ingester.hint = nil
        } else if let position = ingester.writer.acknowledgedBarrier {
            ingester.hint = position
        }
        ingesters[relay] = ingester
    }

    /// A new session, numbered and fenced in Postgres.
    mutating func open(_ relay: Int) -> ModelIngester {
        let wanted: Position
        if baselines[relay] == nil {
            // The very first one, from all that is kept or from now on.
            wanted = random.once(in: 2) ? Position(epoch: 1, seq: 0) : relays[relay].last
            baselines[relay] = wanted
            starts[relay] = wanted
        } else if let hint = hints[relay], rewinds[relay] == nil {
            note(.hintUsed)
            wanted = hint
        } else {
            wanted = committed(relay)
        }
        rewinds[relay] = nil
        sessions += 1
        currentSession[relay] = sessions
        let (from, gap) = relays[relay].resume(after: wanted)
        return ModelIngester(
            relay: relay, session: sessions, from: from, gap: gap, shards: shardCount, next: relays[relay].index(after: from))
    }

    func committed(_ relay: Int) -> Position {
        var watermarks = WatermarkSet(baseline: baselines[relay] ?? Position(epoch: 1, seq: 0), shards: shardCount)
        for shard in shards.indices {
            if let watermark = shards[shard].trackers[relay]?.watermark { watermarks.raise(shard, to: watermark) }
        }
        return watermarks.safeCursor
    }

    mutating func advance(_ ingester: inout ModelIngester) {
        if ingester.writer.mustPause { note(.paused) }
        ingester.read(relays[ingester.relay], upTo: random.below(6), shards: shardCount)
        if random.once(in: 2) { ingester.writer.barrier() }
        if ingester.underWay.count < 3, let append = ingester.writer.next(maxEntries: 1 + random.below(9)) {
            let outcome = perform(append)
            if random.once(in: 3) {
                ingester.underWay.append((append, outcome))
            } else {
                ingester.writer.settle(append, outcome)
            }
        }
        if !ingester.underWay.isEmpty, random.once(in: 2) {
            let index = random.below(ingester.underWay.count)
            if index > 0 { note(.settledOutOfOrder) }
            let (append, outcome) = ingester.underWay.remove(at: index)
            ingester.writer.settle(append, outcome)
        }
    }

    private mutating func perform(_ append: SessionWriter.Append) -> SessionWriter.Outcome {
        switch random.below(12) {
        case 0:
            write(append, while: { _ in true })
            note(.replyLost)
            return .unknown
        case 1:
            note(.appendLost)
            return .unknown
        case 2:
            let cut = random.below(append.entries.count)
            write(append, while: { $0 < cut })
            note(.appendCut)
            return .unknown
        case 3:
            var taken: [Bool] = []
            for _ in append.entries { taken.append(!random.once(in: 3)) }
            write(append, while: { taken[$0] })
            note(.appendHalfRefused)
            return .each(taken)
        case 4:
            late.append(append)
            note(.appendLate)
            return .unknown
        default:
            write(append, while: { _ in true })
            return .accepted
        }
    }

    mutating func write(_ append: SessionWriter.Append, while isWritten: (Int) -> Bool) {
        for (index, item) in append.entries.enumerated() where isWritten(index) {
            streams[item.shard].append(StreamEntry(id: nextID, entry: item.entry))
            nextID += 1
        }
    }

    private mutating func runZombie() {
        guard !zombies.isEmpty else { return }
        let index = random.below(zombies.count)
        var zombie = zombies.remove(at: index)
        advance(&zombie)
        note(.zombieAppend)
        if !random.once(in: 6) { zombies.append(zombie) }
    }

    private mutating func executeLate() {
        guard !late.isEmpty else { return }
        write(late.remove(at: random.below(late.count)), while: { _ in true })
    }
}
