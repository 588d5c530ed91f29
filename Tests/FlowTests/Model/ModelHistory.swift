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
        /// By relay; nil before the first.
        var watermarks: [Position?]
        /// By relay.
        var sessions: [[SessionTracker.Session]]
        /// A bit for each rev, by key.
        var logged = [UInt64](repeating: 0, count: ModelHistory.keys)
        var lastRev = [Int](repeating: 0, count: ModelHistory.keys)
        /// By relay, then key: declared gone.
        var excused: [[UInt64]]
        var halted = false
        /// By relay, the session whose entries were left out while the shard was halted.
        var shed: [Int64?]
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
    let ledger: ModelLedger
    /// What each shard's owner has in memory, by relay; nil where it has to read the ledger first.
    var memory: [[SessionTracker]?]
    /// What the ledger has as gaps, by relay and key: declared by a session's opening, for all shards.
    var declared: [[UInt64]]
    /// From where each relay's very first session started; raised at a new numbering where the ledger's rule says so.
    var baselines: [Position?]
    /// From where the current numbering of each relay was read.
    var numberings: [Position?]
    /// From where each relay's very first session started, for the checks alone.
    var starts: [Position?]
    var rewinds: [Int64?]
    var nextID = 1
    var seen = [Int](repeating: 0, count: ModelFault.allCases.count)
    var violation: String?

    init(seed: UInt64, ledger: ModelLedger = .keepsWatermarks) {
        random = SplitMix64(seed: seed)
        self.ledger = ledger
        let relayCount = 1 + random.below(2)
        shardCount = 1 + random.below(3)
        relays = (0..<relayCount).map { _ in ModelRelay(keys: Self.keys) }
        streams = Array(repeating: [], count: shardCount)
        let excused = [[UInt64]](repeating: [UInt64](repeating: 0, count: Self.keys), count: relayCount)
        let none = [Position?](repeating: nil, count: relayCount)
        shards = (0..<shardCount).map { _ in
            Shard(
                watermarks: none, sessions: Array(repeating: [], count: relayCount), excused: excused, shed: Array(repeating: nil, count: relayCount))
        }
        memory = Array(repeating: nil, count: shardCount)
        declared = excused
        numberings = none
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
        switch random.below(10) {
        case 9:
            memory[shard] = nil
            note(.takeOver)
        case 0:
            guard !streams[shard].isEmpty else { return }
            let lost = streams[shard].remove(at: random.below(streams[shard].count)).entry
            note(.entryLost)
            if lost.kind == .open, shards[shard].watermarks[lost.host == "a" ? 0 : 1] == nil { note(.firstOpenLost) }
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
