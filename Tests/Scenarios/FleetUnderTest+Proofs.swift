import PostgresClient
import RedisClient
import Simulator
import TestSupport

/// What the consumer itself counted and noted of a fault, and how far it is.
extension FleetUnderTest {
    /// `host:port`, as the fleet names a relay.
    func host(_ relay: Int) -> String { simulator.addresses.relays[relay] }

    /// Messages refused for any of these reasons.
    func refused(_ reasons: [String]) async throws -> Int64 {
        let list = reasons.map { "'\($0)'" }.joined(separator: ",")
        return try await Self.number(pool, "SELECT coalesce(sum(count), 0)::bigint FROM weir.refused_counts WHERE reason IN (\(list))")
    }

    /// Sessions of a relay that ended for one of these reasons; for whichever where there are none.
    func endedSessions(_ relay: Int, _ reasons: [String] = []) async throws -> Int64 {
        let list = reasons.map { "'\($0)'" }.joined(separator: ",")
        let condition = reasons.isEmpty ? "" : " AND s.close_reason IN (\(list))"
        let sql = "SELECT count(*) FROM weir.sessions s JOIN weir.upstreams u ON u.id = s.upstream "
        return try await Self.number(pool, sql + "WHERE u.host = '\(host(relay))' AND s.close_reason IS NOT NULL\(condition)")
    }

    /// Sessions that were ended because a worker found a hole.
    func rewinds() async throws -> Int64 {
        try await Self.number(pool, "SELECT count(*) FROM weir.sessions WHERE close_reason = 'rewind'")
    }

    /// Waits until the fleet knows a revision of each account.
    ///
    /// Where it knows none, the first commit that it sees is the repository's beginning: one in front of it that a relay left out, or sent later, is
    /// then old, and rightly dropped.
    func knowsEveryAccount(_ accounts: Int = 60) async throws {
        try await waitUntil("a revision of each of \(accounts) accounts is known") { _ in
            try await Self.number(pool, "SELECT count(*) FROM weir.repositories WHERE rev <> ''") >= Int64(accounts)
        }
    }

    func held(_ reason: String) async throws -> Int64 {
        try await Self.number(pool, "SELECT count(*) FROM weir.held WHERE reason = '\(reason)'")
    }

    /// Waits until the fleet logs again: so many events more than now.
    func progress(_ events: Int64 = 40, within limit: Duration = .seconds(60)) async throws {
        var before: Int64?
        try await waitUntil("Postgres answers") { _ in true }
        while before == nil { before = try? await lastSeqs() }
        let wanted = (before ?? 0) + events
        try await waitUntil("\(events) further events are logged", within: limit) { _ in try await lastSeqs() >= wanted }
    }

    /// Events of all kinds in the log, by the runs' own count.
    func lastSeqs() async throws -> Int64 {
        try await Self.number(pool, "SELECT coalesce(sum(last_seq), 0)::bigint FROM weir.runs WHERE kind = 'firehose'")
    }

    /// Waits until every shard has resolved all that a relay has sent by now: a fault among it has met the whole fleet, and is behind it.
    func waitUntilReadThrough(_ relay: Int) async throws {
        let sent = try await simulator.status().relays[relay].lastSeq
        try await waitUntil("the fleet has read relay \(relay) through \(sent)") { _ in try await committed(relay) >= sent }
    }

    /// The position of a relay below which nothing is open: the least over all shards; -1 where a shard has none in the newest numbering.
    func committed(_ relay: Int) async throws -> Int64 {
        try await Self.number(
            pool,
            """
            SELECT CASE WHEN count(*) = (SELECT count(*) FROM weir.shards) THEN min(w.seq) ELSE -1 END
            FROM weir.watermarks w JOIN weir.upstreams u ON u.id = w.upstream
            WHERE u.host = '\(host(relay))' AND w.epoch = (SELECT max(epoch) FROM weir.watermarks WHERE upstream = u.id)
            """)
    }

    /// The relay has a reader, and a session of it.
    func waitUntilConnected(_ relay: Int) async throws {
        try await waitUntil("relay \(relay) is read again") { _ in try await simulator.status().relays[relay].connections > 0 }
    }

    /// The relay has a reader whose session is open: after a take-over a connection comes before its session, and one that ends in between ends none.
    func waitUntilFollowed(_ relay: Int) async throws {
        try await waitUntilConnected(relay)
        try await waitUntilReadThrough(relay)
        let sql =
            "SELECT count(*) FROM weir.sessions s JOIN weir.upstreams u ON u.id = s.upstream "
            + "WHERE u.host = '\(host(relay))' AND s.close_reason IS NULL"
        try await waitUntil("a session of relay \(relay) is open") { pool in try await Self.number(pool, sql) > 0 }
    }

    /// Gaps that relays declared within one numbering.
    func declaredGaps() async throws -> [ExpectedLog.Gap] {
        let rows = try await pool.query(
            """
            SELECT u.host, g.after_seq, g.through_seq FROM weir.declared_gaps g JOIN weir.upstreams u ON u.id = g.upstream
            WHERE g.after_epoch = g.through_epoch
            """)
        return try rows.map { row in
            let host = try row.value(0, as: String.self)
            return ExpectedLog.Gap(relay: simulator.addresses.relays.firstIndex(of: host) ?? -1, after: try row.value(1), through: try row.value(2))
        }
    }

    /// Owners of shards, with how many each has, least first; what nobody owns counts as an owner of its own.
    func sharesOfShards() async throws -> [Int64] {
        let sql = "SELECT count(*) FROM weir.shards GROUP BY CASE WHEN expires_at > now() THEN owner END ORDER BY 1"
        return try await pool.query(sql).map { try $0.value(0, as: Int64.self) }
    }
}

/// A connection to the fleet's Redis for the length of a step.
struct RedisProbe: Sendable {
    let client: RedisClient
    let shards: Int

    static func with<Value>(_ fleet: FleetUnderTest, _ body: (RedisProbe) async throws -> Value) async throws -> Value {
        let client = RedisClient(try RedisConfiguration(url: fleet.redis.url))
        let shards = Int(fleet.environment["WEIR_SHARDS"] ?? "") ?? 0
        do {
            let value = try await body(RedisProbe(client: client, shards: shards))
            await client.shutDown()
            return value
        } catch {
            await client.shutDown()
            throw error
        }
    }

    /// Entries of all work streams.
    func entries() async throws -> Int64 {
        var sum: Int64 = 0
        for shard in 0..<shards { sum += try await client.send(RedisCommand("XLEN", .string("firehose_live:{\(shard)}"))).integer() }
        return sum
    }

    /// Entries ever added to all work streams, as Redis itself counts them.
    func entriesAdded() async throws -> Int64 {
        let script = """
            local sum = 0
            for shard = 0, tonumber(ARGV[1]) - 1 do
              local info = redis.pcall('XINFO', 'STREAM', 'firehose_live:{' .. shard .. '}')
              if not info.err then
                for place = 1, #info, 2 do if info[place] == 'entries-added' then sum = sum + info[place + 1] end end
              end
            end
            return sum
            """
        return try await client.send(RedisCommand("EVAL", .string(script), "0", .string("\(shards)"))).integer()
    }

    /// A number of INFO, such as `used_memory`, or of `errorstat_OOM:count=`; 0 where it is not there.
    func info(_ section: String, _ prefix: String) async throws -> Int64 {
        let text = try await client.send(RedisCommand("INFO", .string(section))).string()
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix(prefix) {
            return Int64(line.dropFirst(prefix.count).prefix { $0.isNumber }) ?? 0
        }
        return 0
    }

    func set(_ parameter: String, _ value: String) async throws {
        try await client.send(RedisCommand("CONFIG", "SET", .string(parameter), .string(value)))
    }
}
