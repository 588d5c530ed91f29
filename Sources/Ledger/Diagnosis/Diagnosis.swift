public import Events

/// What the ledger and its server show of a fleet's health at one moment. Ages and rests are in milliseconds.
public struct Diagnosis: Hashable, Sendable {
    /// A (run, sink) that waits or is halted.
    public struct Outbox: Hashable, Sendable {
        public var run: RunID
        public var state: RunSummary.State
        public var sink: String
        public var nextSeq: Int64
        /// The run's last seq, as the outbox knows it.
        public var tailSeq: Int64
        public var haltedReason: String?
        public var error: String?
        public var attempts: Int
        public var owner: String?
        public var leaseMsLeft: Int64?
        public var retryInMs: Int64?
        public var publishedAgeMs: Int64?
        public var eventAgeMs: Int64?

        public var waiting: Int64 { max(0, tailSeq - nextSeq + 1) }

        public init(
            run: RunID, state: RunSummary.State = .started, sink: String, nextSeq: Int64, tailSeq: Int64, haltedReason: String? = nil,
            error: String? = nil, attempts: Int = 0, owner: String? = nil, leaseMsLeft: Int64? = nil, retryInMs: Int64? = nil,
            publishedAgeMs: Int64? = nil, eventAgeMs: Int64? = nil
        ) {
            self.run = run
            self.state = state
            self.sink = sink
            self.nextSeq = nextSeq
            self.tailSeq = tailSeq
            self.haltedReason = haltedReason
            self.error = error
            self.attempts = attempts
            self.owner = owner
            self.leaseMsLeft = leaseMsLeft
            self.retryInMs = retryInMs
            self.publishedAgeMs = publishedAgeMs
            self.eventAgeMs = eventAgeMs
        }
    }

    /// Two seqs of a run's log that are neighbours and do not follow each other.
    public struct Hole: Hashable, Sendable {
        public var seq: Int64
        /// Equal to `seq`: it stands twice.
        public var next: Int64

        public init(seq: Int64, next: Int64) {
            self.seq = seq
            self.next = next
        }
    }

    public struct Run: Hashable, Sendable {
        public var id: RunID
        public var kind: String
        public var state: RunSummary.State
        public var lastSeq: Int64
        public var startedAgeMs: Int64
        public var eventAgeMs: Int64?
        /// Of what the log still has.
        public var firstSeq: Int64?
        public var maxSeq: Int64?
        /// Its terminal event is kept, its day was dropped.
        public var hasKeptEnd: Bool
        /// At most 20, among its last ``Ledger/diagnosedSeqs`` seqs.
        public var holes: [Hole]
        /// All sinks of it.
        public var outbox: [Outbox]

        public init(
            id: RunID, kind: String = "application", state: RunSummary.State = .started, lastSeq: Int64 = 0, startedAgeMs: Int64 = 0,
            eventAgeMs: Int64? = nil, firstSeq: Int64? = nil, maxSeq: Int64? = nil, hasKeptEnd: Bool = false, holes: [Hole] = [],
            outbox: [Outbox] = []
        ) {
            self.id = id
            self.kind = kind
            self.state = state
            self.lastSeq = lastSeq
            self.startedAgeMs = startedAgeMs
            self.eventAgeMs = eventAgeMs
            self.firstSeq = firstSeq
            self.maxSeq = maxSeq
            self.hasKeptEnd = hasKeptEnd
            self.holes = holes
            self.outbox = outbox
        }
    }

    /// A run without a word for long.
    public struct Stalled: Hashable, Sendable {
        public var run: RunID
        public var kind: String
        public var lastSeq: Int64
        public var ageMs: Int64

        public init(run: RunID, kind: String, lastSeq: Int64, ageMs: Int64) {
            self.run = run
            self.kind = kind
            self.lastSeq = lastSeq
            self.ageMs = ageMs
        }
    }

    /// A session that waits for another's lock, or holds a transaction open and does nothing.
    public struct Session: Hashable, Sendable {
        public var pid: Int32
        public var application: String
        public var isIdle: Bool
        public var ageMs: Int64
        public var query: String
        public var blockers: [String]

        public init(pid: Int32, application: String, isIdle: Bool, ageMs: Int64, query: String = "", blockers: [String] = []) {
            self.pid = pid
            self.application = application
            self.isIdle = isIdle
            self.ageMs = ageMs
            self.query = query
            self.blockers = blockers
        }
    }

    public struct Slot: Hashable, Sendable {
        public var name: String
        public var isActive: Bool
        /// As `pg_replication_slots.wal_status`.
        public var walStatus: String
        public var keptBytes: Int64

        public init(name: String, isActive: Bool, walStatus: String, keptBytes: Int64) {
            self.name = name
            self.isActive = isActive
            self.walStatus = walStatus
            self.keptBytes = keptBytes
        }
    }

    public struct Flapping: Hashable, Sendable {
        public var client: FlappingClient
        public var ageMs: Int64

        public init(client: FlappingClient, ageMs: Int64) {
            self.client = client
            self.ageMs = ageMs
        }
    }

    /// Of outlets; sinks have their own.
    public var outbox: [Outbox] = []
    public var sinks: [DiagnosedSink] = []
    public var letters: [DiagnosedLetters] = []
    public var stalled: [Stalled] = []
    public var missingIndices: [String] = []
    public var invalidIndices: [String] = []
    public var sessions: [Session] = []
    public var slots: [Slot] = []
    public var flapping: [Flapping] = []
    /// Of today and the next two days, as 2026-07-01.
    public var missingDays: [String] = []
    public var hasDefaultRows = false
    /// Nil: never.
    public var retentionAgeMs: Int64?
    public var retentionNote = ""
    /// Of the run that was asked for; nil where there is none of that name.
    public var run: Run?

    public init() {}
}
