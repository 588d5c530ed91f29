/// Gives a relay's messages their numbers and their order: numbers with gaps, messages of different DIDs trading places, one DID's in order.
struct RelaySequencer: Sendable {
    struct Numbered: Sendable {
        var seq: Int64
        var item: RelayItem
    }

    private struct Held: Sendable {
        var item: RelayItem
        /// Messages that still may overtake it.
        var left: Int
        var ticksLeft: Int
        var overtakenBy = 0
    }

    private static let recentMax = 64
    private static let heldMax = 256

    private let place: FaultCounters.Place
    private let configuration: RelayConfiguration
    private let counters: FaultCounters
    private let isLabeler: Bool
    private var random: RandomStream
    private var seq: Int64
    private var held: [Held] = []
    private var recent: [SentMessage] = []

    init(seed: UInt64, relay: Int, isLabeler: Bool = false, configuration: RelayConfiguration, counters: FaultCounters) {
        place = isLabeler ? .labeler(relay) : .relay(relay)
        self.isLabeler = isLabeler
        self.configuration = configuration
        self.counters = counters
        random = RandomStream(seed: seed, "relay", relay)
        let drawn = Int64(1_000 + random.below(1_000_000)) * Int64(relay + 1)
        seq = (configuration.firstSeq ?? drawn) - 1
    }

    var heldCount: Int { held.count }

    /// Takes a message; returns what is to be sent now, in order.
    mutating func take(_ item: RelayItem) -> [Numbered] {
        if item.faults.contains(.dropCommit) {
            counters.happened(.dropCommit, at: place)
            return []
        }
        var result: [Numbered] = []
        guard case .message(let message) = item.content else {
            number(item, into: &result)
            return result
        }
        release(into: &result) { $0.did == message.event.did }

        let isReordered = item.faults.contains(.reorder)
        if held.count < Self.heldMax, isReordered || random.chance(configuration.interleaveShare) {
            held.append(Held(item: item, left: isReordered ? 50 + random.below(150) : 1 + random.below(8), ticksLeft: isReordered ? 20 : 2))
            return result
        }
        number(item, into: &result)
        for index in held.indices {
            held[index].left -= 1
            held[index].overtakenBy += 1
        }
        release(into: &result) { $0.left <= 0 }
        return result
    }

    /// Called after each batch, an empty one too: nothing is held for long where little happens.
    mutating func tick() -> [Numbered] {
        for index in held.indices { held[index].ticksLeft -= 1 }
        var result: [Numbered] = []
        release(into: &result) { $0.ticksLeft <= 0 }
        return result
    }

    /// Goes on from a number far below those that it gave: up to 500, which no relay's first number is; a labeler from 1.
    mutating func renumber() { seq = isLabeler ? 0 : Int64(random.below(500)) }

    private mutating func release(into result: inout [Numbered], where condition: (HeldView) -> Bool) {
        guard !held.isEmpty else { return }
        var rest: [Held] = []
        for one in held {
            guard case .message(let message) = one.item.content else { continue }
            guard condition(HeldView(did: message.event.did, left: one.left, ticksLeft: one.ticksLeft)) else {
                rest.append(one)
                continue
            }
            if one.item.faults.contains(.reorder), one.overtakenBy > 0 { counters.happened(.reorder, at: place) }
            number(one.item, into: &result)
        }
        held = rest
    }

    private struct HeldView {
        var did: String
        var left: Int
        var ticksLeft: Int
    }

    private mutating func number(_ item: RelayItem, into result: inout [Numbered]) {
        result.append(Numbered(seq: nextSeq(), item: item))
        guard case .message(let message) = item.content, message.forged == nil else { return }
        if recent.count == Self.recentMax { recent.removeFirst() }
        recent.append(message)
        if item.faults.contains(.duplicate) {
            counters.happened(.duplicate, at: place)
            result.append(Numbered(seq: nextSeq(), item: RelayItem(content: .message(recent[random.below(recent.count)]))))
        }
    }

    private mutating func nextSeq() -> Int64 {
        seq += Int64(random.chance(0.9) ? 1 : 1 + random.below(configuration.seqStepMax))
        return seq
    }
}
