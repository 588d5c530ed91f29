public import Flow

/// How an HTTP server of Weir listens and what it bounds. Each value's unit, default and range stand with it.
public struct ServerConfiguration: Hashable, Sendable {
    /// `host:port`, an IPv6 host in brackets; port 0 takes a free one.
    public var bind = "127.0.0.1:7480"
    /// Connections that the kernel keeps until they are accepted: below some thousands, many clients that come at once wait for seconds.
    public var backlog = 4096
    /// 1 to 1,000,000; one more is answered 503 and closed.
    public var connectionsMax = 10_000
    /// Bytes of all header fields, 1 KB to 1 MB.
    public var headerBytesMax = 32 << 10
    /// Bytes of one request's body, 1 KB to 64 MB.
    public var bodyBytesMax = 1 << 20
    /// Bytes of all bodies that are being read or answered, at least ``bodyBytesMax``; above that a request is answered 503.
    public var bodiesBytesMax = 32 << 20
    /// How long a body may take to come, 10 ms to 5 min.
    public var bodyTimeout: Duration = .seconds(10)
    /// Requests answered at the same time that change no run, 1 to 1000; others wait.
    public var requestsAtOnce = 16
    /// Requests that change runs at the same time, of all runs, 1 to 1000; others wait. Each holds a connection to Postgres for as long as others hold its
    /// run's row: fewer than there are connections.
    public var changesAtOnce = 6
    /// Requests that change one run at the same time, 1 to 100: each holds a connection to Postgres while it waits for the run's row.
    public var runChangesAtOnce = 2
    /// Further ones of the same run that wait, 0 to 100,000; one more is answered 503 `run_busy`.
    public var runChangesWaiting = 256
    /// One that has waited for so long is answered 503 `run_busy` instead; 10 ms to 5 min.
    public var runChangePatience: Duration = .seconds(20)
    /// Streams' reads from Redis or Postgres at the same time, 1 to 1000; others wait.
    public var catchUpsAtOnce = 16
    /// A connection without a whole request for this long is closed; 1 s to 1 h.
    public var idleTimeout: Duration = .seconds(60)
    /// A stream on which nothing was written for this long gets a comment with its id; 10 ms to 5 min.
    public var heartbeatEvery: Duration = .seconds(15)
    /// A stream whose buffer stays full for this long is closed with a reason; 10 ms to 10 min.
    public var slowClientTimeout: Duration = .seconds(30)
    /// Bytes that may wait in a stream's socket buffer before nothing more is put into it, 4 KB to 16 MB; one chunk may lie above.
    public var streamBufferBytes = 128 << 10
    /// What clients are told to wait before they reconnect: at least this, at most twice; 100 ms to 1 min.
    public var retryAfter: Duration = .seconds(1)
    /// Events that a followed run keeps in memory for all its clients, 16 to 1,000,000.
    public var topicEvents = 4096
    /// Bytes of the same, at least 64 KB.
    public var topicBytes = 8 << 20
    /// Bytes of the same for all followed runs together, who share them evenly; at least 64 KB.
    public var topicsBytes = 32 << 20
    /// About how many bytes of events one read of all followed outlets may bring, 64 KB to 1 GB.
    public var followBytes = 2 << 20
    /// How long a followed run stays in memory without clients; up to 1 h.
    public var topicKeepIdle: Duration = .seconds(10)
    /// Writes to followers of live runs are this far apart at least; 0 to 1 s.
    public var coalesce: Duration = .milliseconds(10)
    /// How long the read of all followed outlets waits: a run that begins to be followed waits as long at most; 10 ms to 5 s.
    public var followBlock: Duration = .milliseconds(100)
    /// How long connections may take to end at shutdown; up to 5 min.
    public var drainTimeout: Duration = .seconds(5)
    /// An answer to `/ready` is kept this long, so that asking often costs the ledger nothing; up to 1 min.
    public var readyCache: Duration = .seconds(1)
    /// A shard or upstream that has work and does not move for this long is not ready; 1 s to 1 h.
    public var stallAfter: Duration = .seconds(30)
    /// Acknowledgements of WebSocket clients that come within this time are one write; 10 ms to 10 s.
    public var ackDebounce: Duration = .milliseconds(200)
    /// How often it is looked whether who may use the API has changed; 10 ms to 1 h.
    public var accessEvery: Duration = .seconds(1)
    /// How often the line `metric.events_inserted` is logged, where something was appended; 10 ms to 1 h.
    public var reportEvery: Duration = .seconds(60)
    /// The sink whose `next_seq` is what is published to outlets.
    public var sink = "outlet"
    /// How Redis or Postgres is tried again.
    public var retry = RetryPolicy.Limits(base: .milliseconds(250), cap: .seconds(5))

    public init() {}

    /// Every value that is out of its range: key, value, what is allowed. Empty where all is well.
    public func problems() -> [String] {
        var found: [String] = []
        func check<Value: Comparable>(_ key: String, _ value: Value, _ range: ClosedRange<Value>) {
            if !range.contains(value) { found.append("api.\(key) is \(value); allowed: \(range.lowerBound) to \(range.upperBound)") }
        }
        if BindAddress(bind) == nil { found.append("api.bind is \(bind); allowed: host:port, as 127.0.0.1:7480 or [::1]:7480") }
        check("backlog", backlog, 1...65_535)
        check("connections_max", connectionsMax, 1...1_000_000)
        check("header_bytes_max", headerBytesMax, 1 << 10...1 << 20)
        check("body_bytes_max", bodyBytesMax, 1 << 10...1 << 26)
        check("bodies_bytes_max", bodiesBytesMax, max(bodyBytesMax, 1 << 10)...1 << 34)
        check("body_timeout", bodyTimeout, .milliseconds(10) ... .seconds(300))
        check("requests_at_once", requestsAtOnce, 1...1000)
        check("changes_at_once", changesAtOnce, 1...1000)
        check("run_changes_at_once", runChangesAtOnce, 1...100)
        check("run_changes_waiting", runChangesWaiting, 0...100_000)
        check("run_change_patience", runChangePatience, .milliseconds(10) ... .seconds(300))
        check("catch_ups_at_once", catchUpsAtOnce, 1...1000)
        check("idle_timeout", idleTimeout, .seconds(1) ... .seconds(3600))
        check("heartbeat_every", heartbeatEvery, .milliseconds(10) ... .seconds(300))
        check("slow_client_timeout", slowClientTimeout, .milliseconds(10) ... .seconds(600))
        check("stream_buffer_bytes", streamBufferBytes, 4 << 10...16 << 20)
        check("retry_after", retryAfter, .milliseconds(100) ... .seconds(60))
        check("topic_events", topicEvents, 16...1_000_000)
        check("topic_bytes", topicBytes, 64 << 10...1 << 34)
        check("topics_bytes", topicsBytes, 64 << 10...1 << 34)
        check("follow_bytes", followBytes, 64 << 10...1 << 30)
        check("topic_keep_idle", topicKeepIdle, .zero ... .seconds(3600))
        check("coalesce", coalesce, .zero ... .seconds(1))
        check("follow_block", followBlock, .milliseconds(10) ... .seconds(5))
        check("drain_timeout", drainTimeout, .zero ... .seconds(300))
        check("ack_debounce", ackDebounce, .milliseconds(10) ... .seconds(10))
        check("access_every", accessEvery, .milliseconds(10) ... .seconds(3600))
        check("report_every", reportEvery, .milliseconds(10) ... .seconds(3600))
        check("ready_cache", readyCache, .zero ... .seconds(60))
        check("stall_after", stallAfter, .seconds(1) ... .seconds(3600))
        return found
    }
}
