internal import ATProto
internal import Events
internal import Flow
internal import Ledger

/// What one batch of judged labels changes: log events, what stands of each label, held and refused ones. Labels of one source are taken in
/// their order.
///
/// No I/O and no clock. Does not own sessions, offsets and watermarks, nor the seqs, which the commit gives.
struct LabelDecision {
    private(set) var batch: ShardBatch
    private(set) var holds: HoldTable
    /// Repeats of what stands already, and what came too late.
    private(set) var duplicates = 0
    /// What was said last of each label: as the batch was given it, and as it leaves it.
    private var standings: [StoredLabel.Key: LabelStanding]
    private var changed: [StoredLabel.Key: StoredLabel] = [:]
    /// Of held labels that stay held: by queue, when the first is due.
    private var stillHeld: [HeldLabelQueue: WallTime] = [:]
    private var resolved: [HeldLabelQueue: Int] = [:]
    private let policy: HoldPolicy
    private let now: WallTime

    init(batch: ShardBatch, known: [StoredLabel.Key: StoredLabel], holds: HoldTable, policy: HoldPolicy, now: WallTime) {
        self.batch = batch
        self.holds = holds
        self.policy = policy
        self.now = now
        standings = known.mapValues { LabelStanding($0) }
    }

    mutating func take(_ arrival: LabelArrival, _ verdict: LabelVerdict) {
        guard !mustQueue(arrival) else { return hold(arrival) }
        switch verdict {
        case .take(let signature): take(arrival, signature)
        case .waitsForKey:
            if let held = arrival.held, policy.hasGivenUp(on: held, now: now) {
                return refuse(arrival, "identityUnavailable", "no key could be had for \(policy.identity)")
            }
            hold(arrival)
        case .refused(let reason, let detail): refuse(arrival, reason, detail)
        }
    }

    /// What was refused before it came here, held labels among it.
    mutating func refuse(_ messages: [RefusedMessage], held: [HeldLabel]) {
        batch.refused += messages
        for row in held { release(row.id, of: row.queue) }
    }

    /// An entry of the stream that is none of Weir's.
    mutating func refuseUndecodable(_ detail: String, _ id: EntryID) {
        let entry = UpstreamEntry(host: "", session: 0, n: 0, position: Position(epoch: 0, seq: 0), kind: .malformed)
        batch.refused.append(RefusedMessage(reason: "undecodableEntry", detail: "\(id): \(detail)", entry: entry))
    }

    /// The longest held of these queues were looked at. One of which all that was looked at is resolved goes on at once.
    mutating func settle(_ queues: [HeldLabelQueue]) {
        for queue in queues {
            holds.settled(queue.name, count: max(0, holds.count(of: queue.name) - (resolved[queue] ?? 0)), dueAt: stillHeld[queue] ?? now)
        }
    }

    /// The batch with everything of it.
    func finished() -> ShardBatch {
        var result = batch
        result.labels = Array(changed.values)
        return result
    }

    /// Whether earlier labels of its source are held, which this one may not overtake.
    private func mustQueue(_ arrival: LabelArrival) -> Bool {
        if arrival.held != nil { return stillHeld[arrival.queue] != nil }
        return holds.holds(arrival.queue.name)
    }

    private mutating func take(_ arrival: LabelArrival, _ signature: LabelStanding.Signature) {
        defer { release(arrival) }
        let new = LabelStanding(arrival, signature)
        if let stands = standings[arrival.key], stands.verdict(on: new) != .applies {
            duplicates += 1
            return
        }
        standings[arrival.key] = new
        changed[arrival.key] = StoredLabel(arrival, new)
        batch.events.append(
            LogEvent(
                run: batch.run, seq: 0, kind: .label, did: arrival.did, host: arrival.host, time: arrival.label.cts, mark: new.mark,
                body: Self.body(arrival.label)))
    }

    private mutating func hold(_ arrival: LabelArrival) {
        let queue = arrival.queue
        guard let held = arrival.held else {
            let dueAt = policy.firstLook(.identity, since: now)
            batch.heldLabels.append(
                HeldLabel(
                    src: queue.src, host: queue.host, session: arrival.session, position: arrival.position, place: arrival.place,
                    label: arrival.label.encoded, heldSince: now, dueAt: dueAt))
            return holds.hold(queue.name, dueAt: dueAt)
        }
        var dueAt = held.dueAt
        if dueAt <= now {
            dueAt = policy.nextLook(attempts: held.attempts, now: now)
            batch.postponedLabels.append((held.id, dueAt))
        }
        stillHeld[queue] = min(stillHeld[queue] ?? dueAt, dueAt)
    }

    private mutating func refuse(_ arrival: LabelArrival, _ reason: String, _ detail: String) {
        batch.refused.append(RefusedMessage(reason: reason, detail: detail, entry: arrival.entry))
        release(arrival)
    }

    private mutating func release(_ arrival: LabelArrival) {
        if let held = arrival.held { release(held.id, of: arrival.queue) }
    }

    private mutating func release(_ id: Int64, of queue: HeldLabelQueue) {
        batch.releasedLabels.append(id)
        resolved[queue, default: 0] += 1
    }

    private static func body(_ label: Label) -> [UInt8] {
        var json = JSONWriter(reserving: 256)
        json.beginObject()
        if let ver = label.ver { json.member("ver", ver) }
        json.member("src", label.src)
        json.member("uri", label.uri)
        if let cid = label.cid { json.member("cid", cid) }
        json.member("val", label.val)
        json.member("neg", label.neg)
        json.member("cts", label.cts)
        if let exp = label.exp { json.member("exp", exp) }
        json.endObject()
        return json.take()
    }
}

extension HeldLabelQueue {
    /// For the hold table: a DID has no space.
    var name: String { "\(src) \(host)" }

    init?(name: String) {
        let parts = name.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.init(src: String(parts[0]), host: String(parts[1]))
    }
}

extension LabelStanding {
    init(_ stored: StoredLabel) {
        self.init(
            neg: stored.neg, cts: stored.cts, createdAt: stored.createdAt, exp: stored.exp, expiresAt: stored.expiresAt, ver: stored.ver,
            signature: Signature(rawValue: stored.signature.rawValue) ?? .invalid, host: stored.host, position: stored.position, place: stored.place)
    }

    init(_ arrival: LabelArrival, _ signature: Signature) {
        self.init(
            neg: arrival.label.neg, cts: arrival.label.cts, createdAt: arrival.createdAt, exp: arrival.label.exp ?? "",
            expiresAt: arrival.expiresAt, ver: arrival.label.ver, signature: signature, host: arrival.host, position: arrival.position,
            place: arrival.place)
    }

    /// Of the event.
    var mark: String {
        switch signature {
        case .valid: ""
        case .unsigned: "unsigned"
        case .invalid: LenientMark.signature.rawValue
        }
    }
}

extension StoredLabel {
    init(_ arrival: LabelArrival, _ standing: LabelStanding) {
        let label = arrival.label
        self.init(
            key: arrival.key, src: label.src, uri: label.uri, cid: label.cid ?? "", val: label.val, neg: standing.neg, cts: standing.cts,
            createdAt: standing.createdAt, exp: standing.exp, expiresAt: standing.expiresAt, ver: standing.ver,
            signature: Signature(rawValue: standing.signature.rawValue) ?? .invalid, host: standing.host, position: standing.position,
            place: standing.place)
    }
}
