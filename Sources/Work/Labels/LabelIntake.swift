internal import ATProto
internal import Events
internal import Ledger

/// Takes a shard's own labels out of messages, and refuses what no signature could save. Pure: no state, no I/O.
struct LabelIntake {
    /// In the order in which they came.
    private(set) var arrivals: [LabelArrival] = []
    private(set) var refused: [RefusedMessage] = []
    /// Held labels among those that are refused.
    private(set) var refusedHeld: [HeldLabel] = []
    private let shard: Shard
    private let shards: ShardMap

    init(shard: Shard, shards: ShardMap) {
        self.shard = shard
        self.shards = shards
    }

    mutating func take(_ entry: UpstreamEntry) {
        switch entry.kind {
        case .labels:
            do throws(FormatError) {
                for (place, item) in try LabelsMessage(frame: entry.frame).labels.enumerated() { take(item, place, entry) }
            } catch {
                refuse(entry, .malformedMessage, error.description)
            }
        case .malformed: refuse(entry, .malformedMessage, "the frame can't be split or has no number")
        // To be ignored, says the specification.
        case .unknown: break
        case .commit, .sync, .identity, .account, .open, .barrier:
            refused.append(RefusedMessage(reason: "misrouted", detail: "a message of a relay among those of labelers", entry: entry))
        }
    }

    /// A label that was held: it was found sound when it came, by the program that held it.
    mutating func take(_ row: HeldLabel, isForced: Bool) {
        let held = Message.HeldPlace(
            id: row.id, reason: .identity, since: row.heldSince, dueAt: row.dueAt, attempts: row.attempts, isForced: isForced)
        let entry = UpstreamEntry(host: row.host, session: row.session, n: 0, position: row.position, kind: .labels)
        let before = refused.count
        do throws(FormatError) {
            check(try Label(row.label), row.place, entry, held)
        } catch {
            refuse(entry, .malformedMessage, error.description)
        }
        if refused.count > before { refusedHeld.append(row) }
    }

    private mutating func take(_ item: LabelsMessage.Item, _ place: Int, _ entry: UpstreamEntry) {
        guard shards.shard(ofSubject: item.did, from: entry.host) == shard else { return }
        switch item {
        case .label(let label): check(label, place, entry, nil)
        case .malformed(let reason, let did, let encoded):
            var own = entry
            own.did = did ?? ""
            own.frame = encoded
            refuse(own, reason.code == .tooLarge ? .tooLarge : .malformedMessage, "label \(place): \(reason)")
        }
    }

    private mutating func check(_ label: Label, _ place: Int, _ entry: UpstreamEntry, _ held: Message.HeldPlace?) {
        let identity = LabelIdentity(label)
        var arrival = LabelArrival(
            label: label, key: StoredLabel.Key(subject: identity.subject.bytes, label: identity.label.bytes), createdAt: WallTime(microseconds: 0),
            host: entry.host, session: entry.session, position: entry.position, place: place, held: held)
        // An upstream that is configured by a DID speaks for that one only.
        if entry.host.hasPrefix("did:"), label.src != entry.host {
            return refuse(arrival, "foreignSource", "a label of \(label.src.excerpt(scalars: 128)) from \(entry.host)")
        }
        guard let createdAt = UpstreamTime.parse(label.cts) else { return refuse(arrival, "badTime", Self.notATime(label.cts)) }
        arrival.createdAt = createdAt
        if let exp = label.exp {
            guard let expiresAt = UpstreamTime.parse(exp) else { return refuse(arrival, "badTime", Self.notATime(exp)) }
            arrival.expiresAt = expiresAt
        }
        arrivals.append(arrival)
    }

    private static func notATime(_ text: String) -> String { "\(text.excerpt(scalars: 64)) is not an RFC 3339 time" }

    private mutating func refuse(_ entry: UpstreamEntry, _ reason: Refusal.Reason, _ detail: String) {
        refused.append(RefusedMessage(reason: reason.rawValue, detail: detail, entry: entry))
    }

    private mutating func refuse(_ arrival: LabelArrival, _ reason: String, _ detail: String) {
        refused.append(RefusedMessage(reason: reason, detail: detail, entry: arrival.entry))
    }
}
