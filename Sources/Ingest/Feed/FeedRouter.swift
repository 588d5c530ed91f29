import ATProto
import Events
import NIOCore

/// Decides what becomes of each message of one connection: an entry of a shard, a new session, or the end. Without I/O.
///
/// Nothing is decided about an entry's worth here: what cannot be split is passed on as `malformed`, for a worker to count and keep.
struct FeedRouter {
    enum Step: Hashable {
        case entry(RoutedEntry)
        /// One message for several shards, or for none.
        case entries([RoutedEntry])
        /// The message belongs into a session of its own: open it, say so with ``opened(_:)``, and route the message again.
        case open(SessionOpening)
        case end(ConnectionEnd)
        /// Counted, and nothing more: an `#info`.
        case note(String)
        /// Nothing to say where it belongs, and no session yet.
        case skip
    }

    let feed: Feed
    let host: String
    let plan: FeedPlan
    let shards: ShardMap
    /// Messages without a key go to the shard of the host.
    private let hostShard: Shard
    /// The highest that was taken in the current session, or its start; nil before the first.
    private(set) var position: Position?
    private var watch: SequenceWatch
    private var isOutdated = false
    private var sawNumber = false

    init(feed: Feed, host: String, plan: FeedPlan, shards: ShardMap) {
        self.feed = feed
        self.host = host
        self.plan = plan
        self.shards = shards
        hostShard = shards.shard(of: host)
        watch = SequenceWatch(tolerance: feed == .labels ? 0 : SequenceWatch.toleratedFall)
    }

    mutating func opened(_ opening: SessionOpening) {
        position = opening.from
        isOutdated = false
    }

    mutating func route(_ message: WebSocketMessage) -> Step {
        switch message {
        case .binary(let buffer): return route(frame: buffer)
        case .text(let buffer): return unkeyed(.malformed, seq: nil, frame: buffer)
        case .oversize: return unkeyed(.malformed, seq: nil, frame: ByteBuffer())
        }
    }

    private mutating func route(frame: ByteBuffer) -> Step {
        switch frame.withUnsafeReadableBytes({ FrameRoute.parse($0) }) {
        case .message(let fields):
            guard feed == .firehose else { return unkeyed(.unknown, seq: fields.seq, frame: frame) }
            if let step = opening(before: fields.seq) { return step }
            guard let epoch = position?.epoch else { return .skip }
            let at = Position(epoch: epoch, seq: fields.seq)
            position = max(position ?? at, at)
            let entry = UpstreamEntry(
                host: "", session: 0, n: 0, position: at, kind: kind(fields.type), did: fields.did, rev: fields.rev, time: fields.time)
            return .entry(RoutedEntry(shard: shards.shard(of: fields.did), entry: entry, frame: frame))
        case .labels(let seq, let subjects):
            guard feed == .labels else { return unkeyed(.unknown, seq: seq, frame: frame) }
            return labels(seq: seq, subjects: subjects, frame: frame)
        case .info(let name, let message):
            if name == "OutdatedCursor" { isOutdated = true }
            return .note("\(name): \(message ?? "")")
        case .error(let name, let message):
            if name == "FutureCursor", case .resume(let asked) = plan { return .end(ConnectionEnd(.futureCursor(position ?? asked))) }
            return .end(ConnectionEnd(.errorFrame(name: name, message: message ?? "")))
        case .unknown(_, _, let seq): return unkeyed(.unknown, seq: seq, frame: frame)
        case .malformed(_, let seq): return unkeyed(.malformed, seq: seq, frame: frame)
        }
    }

    /// The whole message to each shard that has a label in it; one without labels only moves the position on.
    private mutating func labels(seq: Int64, subjects: [String?], frame: ByteBuffer) -> Step {
        if let step = opening(before: seq) { return step }
        guard let epoch = position?.epoch else { return .skip }
        let at = Position(epoch: epoch, seq: seq)
        position = max(position ?? at, at)
        let entry = UpstreamEntry(host: "", session: 0, n: 0, position: at, kind: .labels)
        let wanted = Set(subjects.map { shards.shard(ofSubject: $0, from: host) })
        return .entries(wanted.sorted().map { RoutedEntry(shard: $0, entry: entry, frame: frame) })
    }

    /// The session that this number asks for, or the end where there can be none; nil where the current one takes it.
    private mutating func opening(before seq: Int64) -> Step? {
        if feed == .labels, case .resume(let asked) = plan, !sawNumber, seq < asked.seq {
            // Numbers begin below the one that was asked for, and nobody said so: the labeler numbers anew. Where a relay only repeats itself,
            // revisions tell; of labels, numbers are all that says which statement is later.
            return .end(ConnectionEnd(.futureCursor(position ?? asked)))
        }
        sawNumber = true
        let verdict = watch.received(seq)
        guard let position else { return plan.opening(first: seq).map { .open($0) } ?? .end(ConnectionEnd(.epochsExhausted)) }
        if isOutdated {
            isOutdated = false
            if let opening = SessionOpening.outdated(position, first: seq) { return .open(opening) }
        }
        guard verdict == .restarted else { return nil }
        return SessionOpening.newNumbering(after: position, first: seq).map { .open($0) } ?? .end(ConnectionEnd(.epochsExhausted))
    }

    private mutating func unkeyed(_ kind: UpstreamEntry.Kind, seq: Int64?, frame: ByteBuffer) -> Step {
        if let seq, (1..<1 << 53).contains(seq), let step = opening(before: seq) { return step }
        guard let position else { return .skip }
        // Without a number it stands where the stream stood, so that a barrier behind it moves past it.
        let at = seq.map { Position(epoch: position.epoch, seq: min(max($0, 0), 1 << 53)) } ?? position
        if seq != nil { self.position = max(position, at) }
        return .entry(RoutedEntry(shard: hostShard, entry: UpstreamEntry(host: "", session: 0, n: 0, position: at, kind: kind), frame: frame))
    }

    private func kind(_ type: FrameRoute.MessageType) -> UpstreamEntry.Kind {
        switch type {
        case .commit: .commit
        case .sync: .sync
        case .identity: .identity
        case .account: .account
        }
    }
}
