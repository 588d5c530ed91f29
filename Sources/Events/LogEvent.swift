/// One event of a run, as the log keeps it and every client, sink and outlet receives it.
public struct LogEvent: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A record was created, updated or deleted.
        case record
        /// A DID's document or handle changed. Body: `{"handle": …}` where the upstream gave one, else `{}`.
        case identity
        /// An account's hosting state changed. Body: `{"active": …, "status": …}`.
        case account
        /// A repository's state changed: it was declared to be at another one (`#sync`), was found desynchronized, or is being fetched. Body:
        /// `{"state": …, "reason": …}`; `state` (``RepositoryPhase``) where the repository is tracked.
        case sync
        /// A labeler put a label on a subject, changed it or withdrew it (`neg`). `did` is the subject's, `time` the label's own `cts`.
        /// Body: `{"ver": …, "src": …, "uri": …, "cid": …, "val": …, "neg": …, "cts": …, "exp": …}`, what the label lacks left out but `neg`.
        case label
        /// How far a long operation is, in a run of its own. Body: numbers by name.
        case progress
        /// An application appended it: ``type``, ``key`` and ``keySequence`` say what it is. Body: its payload.
        case event
        /// The last event of a run that ends: nothing follows it. Body: `{"state": "finished"}` or `cancelled`, `failed`.
        case terminal
    }

    public enum Action: String, Hashable, Sendable, CaseIterable { case create, update, delete }

    public var run: RunID
    /// Contiguous from 1 in a run.
    public var seq: Int64
    public var kind: Kind
    public var did: String
    /// The commit's revision (TID); empty at identity and account events.
    public var rev: String
    /// At records only, otherwise empty.
    public var collection: String
    public var rkey: String
    public var action: Action?
    /// Of the record, as text; empty at a delete.
    public var cid: String
    /// False for what a backfill or a resync delivered.
    public var live: Bool
    /// The upstream that brought it.
    public var host: String
    /// The upstream's own time, as it came.
    public var time: String
    /// Empty, or why a lenient fleet delivered what a strict one would have refused (`signature`, `chain`); at a label also `unsigned`.
    public var mark: String
    /// When the log took it.
    public var loggedAt: WallTime
    /// A JSON value in UTF-8; empty where there is none (a delete). A U+0000 of a string stands as `\u0000` in it.
    public var body: [UInt8]

    public init(
        run: RunID, seq: Int64, kind: Kind, did: String, rev: String = "", collection: String = "", rkey: String = "", action: Action? = nil,
        cid: String = "", live: Bool = true, host: String = "", time: String = "", mark: String = "", loggedAt: WallTime = WallTime(microseconds: 0),
        body: [UInt8] = []
    ) {
        self.run = run
        self.seq = seq
        self.kind = kind
        self.did = did
        self.rev = rev
        self.collection = collection
        self.rkey = rkey
        self.action = action
        self.cid = cid
        self.live = live
        self.host = host
        self.time = time
        self.mark = mark
        self.loggedAt = loggedAt
        self.body = body
    }
}
