import Events

/// The one table of everything that can be configured. The reference page, `weir config`, the sample file and the checks are made from it.
public enum ConfigurationTable {
    public static let keys: [ConfigurationKey] = servers + intake + repositories + work + serving + process + simulation

    static let servers: [ConfigurationKey] = [
        ConfigurationKey(
            "redis.url", .url(schemes: ["redis", "rediss", "redis+unix", "unix"]), standard: "", secret: true,
            "Redis, 7.0 or newer. `rediss://` is TLS, `redis+unix:///path` a socket. Needed by every role; `weir up` starts one where it is empty."),
        ConfigurationKey(
            "redis.prefix", .text(bytesMax: 64), standard: "",
            "Stands in front of every key in Redis, so that several fleets can share one."),
        ConfigurationKey(
            "postgres.url", .url(schemes: ["postgres", "postgresql"]), standard: "", secret: true,
            "Postgres, 15 or newer: the log and the truth. Needed by every role; `weir up` starts one where it is empty."),
        ConfigurationKey(
            "postgres.schema", .text(bytesMax: 40), standard: "weir",
            "The schema that `weir migrate` makes and everything lives in: a-z, 0-9 and _, no digit first."),
        ConfigurationKey(
            "postgres.connections", .integer(2...200), standard: "8",
            "Connections of one process at most; requests that change runs have three quarters of them."),
        ConfigurationKey(
            "shards", .integer(ShardMap.allowedCounts), standard: "32",
            "Into how many shares keys are divided. Fixed by the first migration; it bounds how many workers are of use."),
    ]

    static let intake: [ConfigurationKey] = [
        ConfigurationKey(
            "relay.hosts", .urls(schemes: ["wss", "ws", "https", "http"]), standard: "wss://relay1.us-west.bsky.network",
            "Relays (or PDS hosts) whose firehose is read, each under a lease of its own. More than one brings the same events once."),
        ConfigurationKey(
            "relay.start", .choice(["live", "earliest"]), standard: "live",
            "Where a relay is read from that was never read before: from now on, or from the earliest that it still has."),
        ConfigurationKey(
            "relay.future_cursor", .choice(["stop", "live"]), standard: "stop",
            "What to do when a relay says that our position lies in its future, so that it numbers anew: wait for an operator, or go on live behind a declared gap."
        ),
        ConfigurationKey(
            "relay.reconnect_max", .duration(.seconds(1)...(.seconds(600))), standard: "30s",
            "The longest wait before a relay or labeler that fails is tried again; waits begin at 250 ms and double, with jitter, until it has been well for a minute. Its own `Retry-After` may be longer."
        ),
        ConfigurationKey(
            "labeler.hosts", .urls(schemes: ["wss", "ws", "https", "http"]), standard: "",
            "Labelers that are read by their addresses; what they say of any source's labels is taken."),
        ConfigurationKey(
            "labeler.dids", .dids, standard: "",
            "Labelers that are read by their DIDs: found through the `#atproto_labeler` of their documents, wherever they move. Labels of other sources are refused."
        ),
        ConfigurationKey(
            "labeler.start", .choice(["earliest", "live"]), standard: "earliest",
            "Where a labeler is read from that was never read before: from the earliest label that it still has, or from now on."),
        ConfigurationKey(
            "labeler.future_cursor", .choice(["earliest", "live", "stop"]), standard: "earliest",
            "What to do when a labeler starts its numbers anew: read all that it has in a new epoch (what says nothing new is dropped), go on live behind a declared gap, or wait for an operator."
        ),
        ConfigurationKey(
            "high_water.entries", .integer(1000...100_000_000), standard: "100000", variable: "WEIR_HIGH_WATER_MARK",
            "Entries appended and not yet committed, over all shards, at which ingesters pause. They go on at three quarters of it. Those of labels are counted by themselves."
        ),
        ConfigurationKey(
            "high_water.bytes", .bytes((1 << 20)...(1 << 40)), standard: "1GiB",
            "The same in bytes of Redis memory."),
        ConfigurationKey(
            "high_water.memory_percent", .integer(10...95), standard: "85",
            "The share of Redis' `maxmemory` at which ingesters pause; without a `maxmemory` it means nothing."),
    ]

    static let repositories: [ConfigurationKey] = [
        ConfigurationKey(
            "repos.scope", .choice(RepositoryScope.allCases.map(\.rawValue)), standard: "live",
            "Wanted are: what the relays bring, nothing is fetched; named repositories; those that hold `repos.signal`; all. The same in every process."
        ),
        ConfigurationKey(
            "repos.signal", .text(bytesMax: 317), standard: "",
            "With the scope `collection`: the collection (NSID) that a wanted repository holds, as `app.bsky.actor.profile`."),
        ConfigurationKey(
            "repos.collections", .patterns, standard: "",
            "Collections whose records are delivered; empty: all. The same in every process."),
        ConfigurationKey(
            "repos.file", .text(bytesMax: 4096), standard: "",
            "With the scope `chosen`: a file of wanted repositories, one DID a line, `#` begins a comment. Read again when it changes."),
        ConfigurationKey(
            "backfill.hosts", .urls(schemes: ["https", "http"]), standard: "",
            "Hosts that are asked for their lists of repositories, each under a lease of its own; empty: the relays of `relay.hosts`."),
        ConfigurationKey("backfill.page", .integer(1...1000), standard: "1000", "Repositories that one page of a list has at most."),
        ConfigurationKey(
            "backfill.queue_high_water", .integer(1...1_000_000), standard: "2000",
            "Repositories that stand in the job stream at most; it is filled again at three quarters of it."),
        ConfigurationKey(
            "backfill.poll", .duration(.milliseconds(20)...(.seconds(10))), standard: "200ms", "How often the job stream is looked at."),
        ConfigurationKey(
            "backfill.live_delay", .duration(.milliseconds(5)...(.seconds(60))), standard: "50ms",
            "A worker fetches and applies snapshots more slowly where its live batches take longer than this from their read to their commit."),
        ConfigurationKey(
            "backfill.jobs_max", .integer(1000...100_000_000), standard: "1000000",
            "Listed repositories of one host that may wait to be fetched; from there its list is read on only as they are."),
        ConfigurationKey(
            "fetch.concurrency", .integer(1...256), standard: "8", "Repositories that one worker process fetches at the same time at most."),
        ConfigurationKey("fetch.host_concurrency", .integer(1...64), standard: "4", "Requests of one process to one host at the same time at most."),
        ConfigurationKey(
            "fetch.host_rate", .integer(1...100_000), standard: "8",
            "Requests a second that one process begins at one host. A repository host usually allows 10 from one address, over five minutes."),
        ConfigurationKey(
            "fetch.spool", .text(bytesMax: 4096), standard: "",
            "Where repositories stand while they are verified; empty: the system's. It may need `fetch.concurrency` times the largest one."),
        ConfigurationKey(
            "fetch.repo_bytes_max", .bytes((1 << 20)...(1 << 36)), standard: "1GiB",
            "The largest repository that is fetched; a larger one is refused."),
        ConfigurationKey(
            "fetch.high_water", .integer(100...10_000_000), standard: "20000",
            "Entries in all backfill streams that owners have not taken, at which fetchers pause. They go on at three quarters of it."),
        ConfigurationKey(
            "fetch.fallback_hosts", .urls(schemes: ["https", "http"]), standard: "",
            "Hosts that are asked for a repository which its own host does not give; empty: the relays of `relay.hosts`."),
    ]

    static let work: [ConfigurationKey] = [
        ConfigurationKey(
            "lease.ttl", .duration(.seconds(2)...(.seconds(120))), standard: "5s",
            "How long a shard or upstream stays with an owner that says nothing. A take-over after a crash takes about this long."),
        ConfigurationKey(
            "lease.renewal", .duration(.milliseconds(200)...(.seconds(40))), standard: "1500ms",
            "How often leases are renewed; a third of `lease.ttl` at most."),
        ConfigurationKey("worker.batch_entries", .integer(1...10_000), standard: "500", "Entries of one shard that one transaction takes at most."),
        ConfigurationKey("worker.batch_bytes", .bytes((64 << 10)...(256 << 20)), standard: "8MiB", "The same in bytes of frames."),
        ConfigurationKey(
            "worker.predecessor_wait", .duration(.zero...(.seconds(600))), standard: "5s",
            "How long a commit waits for the one before it, which another relay may bring."),
        ConfigurationKey(
            "worker.identity_wait", .duration(.seconds(1)...(.seconds(7 * 86_400))), standard: "1h",
            "How long a message waits for its account's key while the directory does not answer; then it is refused and kept."),
        ConfigurationKey(
            "stream.tail_entries", .integer(0...1_000_000), standard: "100",
            "Committed entries that each work stream keeps for people to look at. The same in every process: they do not count as backlog."),
        ConfigurationKey(
            "identity.lifetime", .duration(.seconds(60)...(.seconds(30 * 86_400))), standard: "1d",
            "How long an account's document is taken for true before it is fetched again; events about it fetch it sooner."),
        ConfigurationKey("identity.fetches", .integer(1...256), standard: "32", "Documents that one process fetches at the same time at most."),
        ConfigurationKey(
            "mode", .choice(["strict", "lenient"]), standard: "strict",
            "Strict refuses what does not verify; lenient delivers what only lacks a valid signature or chain, with a mark."),
        ConfigurationKey(
            "plc.url", .url(schemes: ["https", "http"]), standard: "https://plc.directory",
            "The directory that resolves `did:plc`."),
        ConfigurationKey(
            "allow_private_hosts", .flag, standard: "false",
            "Whether `did:web` may name hosts of private networks. On only for tests and for fleets inside one network."),
        ConfigurationKey("publisher.batch_events", .integer(1...10_000), standard: "500", "Events that one write to an outlet stream takes at most."),
        ConfigurationKey(
            "publisher.poll", .duration(.milliseconds(20)...(.seconds(10))), standard: "200ms",
            "How often publishers look for work even if nothing woke them."),
        ConfigurationKey(
            "outlet.keep_entries", .integer(100...1_000_000), standard: "20000",
            "Newest entries that each outlet stream keeps in Redis. Older events are read from Postgres."),
        ConfigurationKey(
            "sink.folder", .text(bytesMax: 4096), standard: ".weir/sinks",
            "Where files of sinks lie that have a relative path. What a sink is stands under `sinks`, by name: see Sinks."),
    ]

    static let serving: [ConfigurationKey] = [
        ConfigurationKey(
            "api.bind", .address, standard: "127.0.0.1:7480",
            "Where the API listens. An address that others can reach needs `api.tokens`, `api.tokens_file`, or `api.allow_anonymous`."),
        ConfigurationKey(
            "api.allow_writes", .flag, standard: "false",
            "Without tokens: whether repositories and runs may be changed by whoever reaches an API that is not bound to loopback. There it is always allowed."
        ),
        ConfigurationKey(
            "api.heartbeat", .duration(.seconds(1)...(.seconds(300))), standard: "15s",
            "How often a quiet stream says that it is alive."),
        ConfigurationKey(
            "api.client_buffer", .bytes((4 << 10)...(16 << 20)), standard: "128KiB",
            "Bytes that may wait in a client's socket; one for which it stays full is closed, with the reason."),
        ConfigurationKey("api.clients", .integer(1...1_000_000), standard: "10000", "Connections at once; one more is answered 503."),
        ConfigurationKey(
            "api.body_bytes", .bytes((1 << 10)...(64 << 20)), standard: "1MiB",
            "Bytes that a request's body may have; a larger one is answered 413."),
        ConfigurationKey(
            "api.tokens", .tokens, standard: "", secret: true,
            "Who may use the API: `name:scopes:secret`, or `name:scopes:secret:prefixes` for some runs only. Scopes (`read`, `append`, `admin`) and prefixes are joined by `+`; a secret may be `sha256=` and its digest."
        ),
        ConfigurationKey(
            "api.tokens_file", .text(bytesMax: 4096), standard: "",
            "A file with more of them, one a line, `#` begins a comment. Read again when it changes; one that is wrong, or without any token, is not taken."
        ),
        ConfigurationKey(
            "api.allow_anonymous", .flag, standard: "false",
            "Whether everybody who reaches the API may read without a token, also where it is not bound to loopback."),
        ConfigurationKey(
            "api.token_rate", .integer(1...1_000_000), standard: "1000",
            "Requests a second of one token, twice as many at once after a pause; one more is answered 429."),
        ConfigurationKey(
            "api.token_connections", .integer(1...1_000_000), standard: "1000", "Connections of one token at once; one more is answered 429."),
        ConfigurationKey(
            "operations.bind", .address, standard: "127.0.0.1:7481",
            "Where a process without the API answers `/health`, `/ready` and `/metrics`."),
        ConfigurationKey(
            "ready.stall_after", .duration(.seconds(1)...(.seconds(3600))), standard: "30s",
            "How long something that has work may stand still before `/ready` says so."),
    ]

    static let process: [ConfigurationKey] = [
        ConfigurationKey(
            "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), standard: "info",
            "The least level that is logged."),
        ConfigurationKey("log.format", .choice(["text", "json"]), standard: "text", "Lines for people, or one JSON object a line."),
        ConfigurationKey(
            "log.keep_days", .integer(0...36_500), standard: "0",
            "Whole days of the log that are kept beside today; 0: all, for ever. An older day goes once every sink is past it; terminal events stay."),
        ConfigurationKey(
            "log.keep_days_max", .integer(0...36_500), standard: "0",
            "Days after which one goes though a sink, which may be halted, still needs it: it is told of a gap. 0: never."),
        ConfigurationKey(
            "shutdown.grace", .duration(.seconds(1)...(.seconds(60))), standard: "8s",
            "How long a process may take to end what it has begun after SIGTERM or SIGINT. Keep it below the supervisor's patience."),
    ]

    static let simulation: [ConfigurationKey] = [
        ConfigurationKey(
            "simulator.bind", .address, standard: "127.0.0.1:7500",
            "Where the first simulated relay listens. The ports above it are taken in turn: further relays, the DID directory, the repository host, the controls, further repository hosts, labelers."
        ),
        ConfigurationKey(
            "simulator.advertised_host", .text(bytesMax: 253), standard: "",
            "The host name in DID documents and printed addresses, where it is not the one of `simulator.bind`."),
        ConfigurationKey("simulator.relays", .integer(1...8), standard: "2", "Relays, each with its own numbering and order of the same events."),
        ConfigurationKey("simulator.seed", .integer(0...Int.max), standard: "1", "The same seed makes the same network and the same events."),
        ConfigurationKey("simulator.accounts", .integer(1...100_000), standard: "200", "Accounts of the simulated network."),
        ConfigurationKey(
            "simulator.repository_hosts", .integer(1...64), standard: "1",
            "Hosts of repositories, each with an address of its own; accounts are spread over them."),
        ConfigurationKey(
            "simulator.initial_records", .integer(0...100_000), standard: "0",
            "Records that every account begins with; 0 is a few large accounts and many small ones, by the number of accounts."),
        ConfigurationKey(
            "simulator.huge_repositories", .integer(0...64), standard: "0",
            "How many accounts, the last ones, have a repository of `simulator.huge_bytes`, in 50,000 records."),
        ConfigurationKey(
            "simulator.huge_bytes", .bytes((1 << 20)...(1 << 40)), standard: "256MiB", "About so large is the archive of each of those."),
        ConfigurationKey(
            "simulator.labelers", .integer(0...8), standard: "0", "Labelers, each with a DID, a key and numbers of its own."),
        ConfigurationKey("simulator.label_rate", .integer(0...100_000), standard: "5", "Labels a second of all labelers together."),
        ConfigurationKey("simulator.rate", .integer(0...100_000), standard: "50", "Events a second over all accounts; 0 stands still."),
        ConfigurationKey(
            "simulator.prebuild", .integer(0...500_000), standard: "0",
            "Events made and signed before the relays open, for rates above what signing allows. About 5 KB of memory each."),
        ConfigurationKey(
            "simulator.record", .text(bytesMax: 4096), standard: "",
            "A file that receives a line for each message sent: what a correct consumer must end with."),
    ]
}
