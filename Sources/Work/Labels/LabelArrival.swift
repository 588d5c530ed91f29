internal import ATProto
internal import Events
internal import Ledger

/// One label on its way through a shard: as it came in a message, or taken out of the held table.
struct LabelArrival: Sendable {
    var label: Label
    var key: StoredLabel.Key
    /// What its `cts` and `exp` say.
    var createdAt: WallTime
    var expiresAt: WallTime?
    /// The upstream that brought it, and where in it.
    var host: String
    var session: Int64
    var position: Position
    var place: Int
    /// Set where it was held before.
    var held: Message.HeldPlace?

    var queue: HeldLabelQueue { HeldLabelQueue(src: label.src, host: host) }

    /// The DID of the account that the label is about.
    var did: String { Syntax.did(ofSubject: label.uri) ?? "" }

    /// The label as an entry of its own: what is kept of it where it is refused.
    var entry: UpstreamEntry {
        UpstreamEntry(host: host, session: session, n: 0, position: position, kind: .labels, did: did, time: label.cts, frame: label.encoded)
    }
}
