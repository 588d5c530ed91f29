public import Events
import NIOCore
public import RedisClient

/// One job as a consumer gets it.
public struct QueuedJob: Hashable, Sendable {
    public var id: EntryID
    public var did: String
    /// How often it was given to a consumer, this time included.
    public var deliveries: Int

    public init(id: EntryID, did: String, deliveries: Int) {
        self.id = id
        self.did = did
        self.deliveries = deliveries
    }
}

/// The stream `repo_backfill`, read by the consumer group `fetchers`: which repositories are to be fetched. A hint: the rows in Postgres are the truth.
///
/// An entry has the field `did`. An acknowledged entry is deleted, so the stream's length is what waits and what is under way. Whatever Redis loses is
/// fed again from the rows.
public struct JobQueue: Sendable {
    public let keys: StreamKeys
    private let redis: RedisClient

    public init(redis: RedisClient, keys: StreamKeys) {
        self.redis = redis
        self.keys = keys
    }

    /// Appends jobs; throws where one was not taken: all of them may or may not stand in the stream then, and feeding them again is right.
    public func append(_ dids: [String]) async throws(BrokerError) {
        guard !dids.isEmpty else { return }
        var batch = RedisBatch(capacityBytes: dids.count * 96)
        for did in dids { batch.append("XADD", .string(keys.repoBackfill), "*", "did", .string(did)) }
        for reply in try await redis.brokered(batch, affinity: 0) {
            if let error = reply.serverError { throw BrokerError(error, place: "XADD \(keys.repoBackfill)") }
        }
    }

    /// Jobs that stand in the stream, oldest first, behind an entry.
    public func standing(after id: EntryID, count: Int) async throws(BrokerError) -> [(id: EntryID, did: String)] {
        let command = RedisCommand(
            "XRANGE", .string(keys.repoBackfill), .string("(\(id)"), "+", "COUNT", .integer(max(count, 1)))
        let replies = try await redis.brokered(RedisBatch(command), affinity: 0)
        return try brokered(at: "XRANGE \(keys.repoBackfill)") { () throws(RedisError) in try Self.jobs(try RawEntry.list(replies[0])) }
    }

    /// Entries that wait or are under way.
    public func length() async throws(BrokerError) -> Int {
        let replies = try await redis.brokered(RedisBatch(RedisCommand("XLEN", .string(keys.repoBackfill))), affinity: 0)
        return try brokered(at: "XLEN \(keys.repoBackfill)") { () throws(RedisError) in Int(try replies[0].integer()) }
    }

    /// Makes the stream and its group where they are missing. The group begins at the stream's first entry.
    public func prepare() async throws(BrokerError) {
        let command = RedisCommand("XGROUP", "CREATE", .string(keys.repoBackfill), .string(StreamKeys.fetcherGroup), "0", "MKSTREAM")
        let replies = try await redis.brokered(RedisBatch(command), affinity: 0)
        guard let error = replies[0].serverError, error.kind != .busyGroup else { return }
        throw BrokerError(error, place: "XGROUP CREATE \(keys.repoBackfill)")
    }

    /// New jobs for a consumer, without waiting. A group that Redis lost is made again, and the answer is then empty.
    public func read(consumer: String, count: Int) async throws(BrokerError) -> [QueuedJob] {
        let command = RedisCommand(
            "XREADGROUP", "GROUP", .string(StreamKeys.fetcherGroup), .string(consumer), "COUNT", .integer(max(count, 1)), "STREAMS",
            .string(keys.repoBackfill), ">")
        let replies = try await redis.brokered(RedisBatch(command), affinity: 0)
        if replies[0].serverError?.kind == .noGroup {
            try await prepare()
            return []
        }
        return try brokered(at: "XREADGROUP \(keys.repoBackfill)") { () throws(RedisError) in
            try Self.jobs(try RawEntry.streams(replies[0]).flatMap(\.entries)).map { QueuedJob(id: $0.id, did: $0.did, deliveries: 1) }
        }
    }

    /// Takes over jobs that a consumer has had for `idle` without a word, from the place of the scan that the last call gave.
    ///
    /// - Returns: the jobs with their counts, and the next place; `0-0` once the scan is through.
    public func takeOver(
        consumer: String, idle: Duration, from start: EntryID, count: Int
    ) async throws(BrokerError) -> (jobs: [QueuedJob], next: EntryID) {
        let command = RedisCommand(
            "XAUTOCLAIM", .string(keys.repoBackfill), .string(StreamKeys.fetcherGroup), .string(consumer), .integer(max(idle.milliseconds, 1)),
            .string(start.description), "COUNT", .integer(max(count, 1)))
        let replies = try await redis.brokered(RedisBatch(command), affinity: 0)
        if [.noGroup, .noSuchKey].contains(replies[0].serverError?.kind) { return ([], .zero) }
        let (found, next) = try brokered(at: "XAUTOCLAIM \(keys.repoBackfill)") { () throws(RedisError) in
            let parts = try replies[0].array()
            guard parts.count >= 2, let next = EntryID(try parts[0].string()) else {
                throw RedisError(code: .unexpectedReply, message: "an answer without a cursor and entries")
            }
            return (try Self.jobs(try RawEntry.list(parts[1])), next)
        }
        var jobs: [QueuedJob] = []
        for (job, deliveries) in zip(found, try await deliveries(of: found.map(\.id))) {
            jobs.append(QueuedJob(id: job.id, did: job.did, deliveries: deliveries))
        }
        return (jobs, next)
    }

    /// Says that a job is still worked on; its count of deliveries stays.
    public func touch(_ ids: [EntryID], consumer: String) async throws(BrokerError) {
        guard !ids.isEmpty else { return }
        let arguments: [RedisArgument] =
            [.string(keys.repoBackfill), .string(StreamKeys.fetcherGroup), .string(consumer), "0"] + ids.map { .string($0.description) } + ["JUSTID"]
        let replies = try await redis.brokered(RedisBatch(RedisCommand("XCLAIM", arguments)), affinity: 0)
        guard let error = replies[0].serverError, error.kind != .noGroup, error.kind != .noSuchKey else { return }
        throw BrokerError(error, place: "XCLAIM \(keys.repoBackfill)")
    }

    /// Acknowledges and deletes jobs.
    public func acknowledge(_ ids: [EntryID]) async throws(BrokerError) {
        guard !ids.isEmpty else { return }
        let names = ids.map { RedisArgument.string($0.description) }
        let batch = RedisBatch(
            RedisCommand("XACK", [.string(keys.repoBackfill), .string(StreamKeys.fetcherGroup)] + names),
            RedisCommand("XDEL", [.string(keys.repoBackfill)] + names))
        for reply in try await redis.brokered(batch, affinity: 0) {
            guard let error = reply.serverError, error.kind != .noGroup, error.kind != .noSuchKey else { continue }
            throw BrokerError(error, place: "XACK \(keys.repoBackfill)")
        }
    }

    /// Forgets consumers that have nothing pending and were idle for `idle`: names of processes that are gone.
    public func reapConsumers(idle: Duration, except consumer: String) async throws(BrokerError) {
        let key = RedisArgument.string(keys.repoBackfill)
        let replies = try await redis.brokered(RedisBatch(RedisCommand("XINFO", "CONSUMERS", key, .string(StreamKeys.fetcherGroup))), affinity: 0)
        if replies[0].serverError != nil { return }
        let gone = try brokered(at: "XINFO CONSUMERS \(keys.repoBackfill)") { () throws(RedisError) in
            var gone: [String] = []
            for value in try replies[0].array() {
                let fields = try value.array()
                var found: [String: RedisValue] = [:]
                for index in stride(from: 0, to: fields.count - 1, by: 2) { found[try fields[index].string()] = fields[index + 1] }
                guard let name = try found["name"]?.string(), let pending = try found["pending"]?.integer(), let age = try found["idle"]?.integer()
                else { continue }
                if name != consumer, pending == 0, age >= idle.milliseconds { gone.append(name) }
            }
            return gone
        }
        for name in gone {
            _ = try await redis.brokered(
                RedisBatch(RedisCommand("XGROUP", "DELCONSUMER", key, .string(StreamKeys.fetcherGroup), .string(name))), affinity: 0)
        }
    }

    private func deliveries(of ids: [EntryID]) async throws(BrokerError) -> [Int] {
        guard !ids.isEmpty else { return [] }
        var batch = RedisBatch()
        for id in ids {
            batch.append(
                "XPENDING", .string(keys.repoBackfill), .string(StreamKeys.fetcherGroup), .string(id.description), .string(id.description), "1")
        }
        let replies = try await redis.brokered(batch, affinity: 0)
        return try brokered(at: "XPENDING \(keys.repoBackfill)") { () throws(RedisError) in
            var counts: [Int] = []
            for reply in replies {
                guard let entry = try reply.array().first else {
                    counts.append(1)
                    continue
                }
                let fields = try entry.array()
                counts.append(fields.count == 4 ? Int(try fields[3].integer()) : 1)
            }
            return counts
        }
    }

    private static func jobs(_ raw: [RawEntry]) throws(RedisError) -> [(id: EntryID, did: String)] {
        var jobs: [(EntryID, String)] = []
        for entry in raw {
            let did = try entry.pairs().first { $0.name == "did" }?.value
            jobs.append((entry.id, did.map { String(buffer: $0) } ?? ""))
        }
        return jobs
    }
}
