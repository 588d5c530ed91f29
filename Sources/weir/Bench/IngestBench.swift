import Events
import Fleet
import Foundation
import Logging
import RedisClient
import Serve

/// One ingester, as a deployment runs it, from a loopback WebSocket into Redis: its lease, session, router, gate and lanes, on a Redis and a Postgres
/// of the bench's own. The ceiling is `redis-benchmark`, which appends entries of the same fields and sizes to as many streams of the same Redis.
///
/// Both write over Redis' Unix socket, with the append-only file off: else both wait for the disk, and the row says nothing. No worker runs: the
/// streams are deleted between rounds, which bounds Redis to one round's frames.
enum IngestBench: BenchPart {
    static let name = "ingest"

    /// Of a frame, as the network's mean.
    static let frameBytes = 5_400
    private static let shards = 16
    /// Pipelined requests of one connection, and connections, of the ceiling: what gave most on a quiet machine of two cores.
    private static let ceilingPipeline = 32
    private static let ceilingConnections = 2

    struct Round: Sendable {
        var framesPerSecond: Double
        /// Of this process without the thread that sends, for one frame.
        var ownMicroseconds: Double
        var senderMicroseconds: Double
        var redisMicroseconds: Double
    }

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let folder = "/tmp/weir-bench-\(UInt32.random(in: 0...(.max)))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let servers = try LocalServers(folder: folder, redis: true, postgres: true, log: context.log)
        var configuration = context.configuration
        for (key, value) in [
            ("redis.url", servers.redisURL ?? ""), ("postgres.url", servers.postgresURL ?? ""), ("relay.start", "earliest"),
            ("operations.bind", "127.0.0.1:0"), ("api.bind", "127.0.0.1:0"), ("shards", "\(shards)"), ("high_water.entries", "1000000"),
            ("high_water.bytes", "16GiB"), ("high_water.memory_percent", "95"),
        ] { try configuration.set(key, to: value, by: "weir bench") }
        let ready = configuration
        return try await servers.run {
            let redis = RedisClient(try RedisConfiguration(url: ready.redisURL ?? ""), logger: context.log)
            do {
                let rows = try await measure(ready, redis, context)
                await redis.shutDown()
                return rows
            } catch {
                await redis.shutDown()
                throw error
            }
        }
    }

    private static func measure(_ configuration: FleetConfiguration, _ redis: RedisClient, _ context: BenchContext) async throws -> [BenchRow] {
        try await Migration.run(configuration, log: context.log) { _ in }
        try await redis.send(RedisCommand("CONFIG", "SET", "appendonly", "no"))
        let frames = context.isFull ? 100_000 : 50_000
        let rounds = context.isFull ? 5 : 3
        let relay = PreparedFrames(bytes: frameBytes)
        var ceilings: [Round] = []
        var figures: [Round] = []
        for round in 0..<rounds {
            context.progress.show("ingest", round, rounds)
            ceilings.append(try await ceiling(configuration, redis, entries: frames))
            figures.append(try await figure(configuration, redis, relay, frames: frames))
        }
        ceilings.append(try await ceiling(configuration, redis, entries: frames))
        try await clear(redis)
        for (name, rounds) in [("ceiling", ceilings), ("figure", figures)] {
            for round in rounds { context.log.info("round", metadata: ["of": "\(name)", "measured": "\(round)"]) }
        }
        let ratios = figures.indices.map { 2 * figures[$0].framesPerSecond / (ceilings[$0].framesPerSecond + ceilings[$0 + 1].framesPerSecond) }
        let own = median(figures.map(\.ownMicroseconds))
        let note =
            "\(frames) frames of \(frameBytes) bytes a round, \(rounds) rounds between \(rounds + 1) of the ceiling, \(shards) streams, medians; "
            + "CPU \(tenths(own)) µs a frame in the ingester, \(tenths(median(figures.map(\.senderMicroseconds)))) in the sender, "
            + "\(tenths(median(figures.map(\.redisMicroseconds)))) in Redis (\(tenths(median(ceilings.map(\.redisMicroseconds)))) at the ceiling); "
            + "ratios of neighbours \(ratios.sorted().map { "\(hundredths($0))" }.joined(separator: " "))"
        return [
            BenchRow(
                name: "ingest: WebSocket to Redis", figure: median(figures.map(\.framesPerSecond)), unit: "frames/s",
                ceiling: median(ceilings.map(\.framesPerSecond)),
                ceilingName: "redis-benchmark XADD -P \(ceilingPipeline) -c \(ceilingConnections)", bar: .ratio(atLeast: 0.7), note: note)
        ]
    }

    // MARK: The figure

    /// A fresh ingester reads all frames of a relay of its own.
    private static func figure(
        _ configuration: FleetConfiguration, _ redis: RedisClient, _ prepared: PreparedFrames, frames: Int
    ) async throws -> Round {
        try await clear(redis)
        let relay = try FrameSender(prepared, count: frames)
        defer { relay.stop() }
        var configuration = configuration
        try configuration.set("relay.hosts", to: "ws://127.0.0.1:\(relay.port)", by: "weir bench")
        let process = FleetProcess(
            roles: [.ingestFirehose], configuration: configuration, metrics: PrometheusMetrics(), log: Logger(label: "weir.bench.ingest"))
        return try await withThrowingTaskGroup(of: Round?.self) { group in
            group.addTask {
                try await process.run()
                return nil
            }
            group.addTask { try await watch(redis, relay, frames: frames) }
            defer { group.cancelAll() }
            guard let round = try await group.next() ?? nil else { throw Failure("the ingester ended before the measurement did") }
            return round
        }
    }

    /// From the first byte sent to the last frame in its stream; then proves that every shard's numbers are dense up to the last barrier.
    private static func watch(_ redis: RedisClient, _ relay: FrameSender, frames: Int) async throws -> Round {
        let deadline = ContinuousClock.now + .seconds(120)
        while relay.begin == nil { try await pause(.milliseconds(2), until: deadline, "no ingester connects") }
        let redisBefore = try await cpuSeconds(of: redis)
        // An entry each for the session's opening.
        while try await lengths(redis).reduce(0, +) < frames + shards { try await pause(.milliseconds(10), until: deadline, "not all frames arrive") }
        let end = Moment.now()
        let redisAfter = try await cpuSeconds(of: redis)
        guard let begin = relay.begin, let senderCPU = relay.cpuSeconds else { throw Failure("the sender did not end") }
        try await proveDense(redis, relay, until: deadline)
        let each = 1_000_000 / Double(frames)
        return Round(
            framesPerSecond: Double(frames) / (end.wall - begin.wall), ownMicroseconds: (end.cpu - begin.cpu - senderCPU) * each,
            senderMicroseconds: senderCPU * each, redisMicroseconds: (redisAfter - redisBefore) * each)
    }

    /// The hint says that the last frame stands behind an acknowledged barrier of every shard; the last barrier's number is the count before it.
    private static func proveDense(_ redis: RedisClient, _ relay: FrameSender, until deadline: ContinuousClock.Instant) async throws {
        let key = StreamKeys().cursorHint(host: "127.0.0.1:\(relay.port)")
        while true {
            let hint = try await redis.send(RedisCommand("GET", .string(key))).optional()?.string() ?? ""
            if hint.hasSuffix(":\(relay.lastSeq)") { break }
            try await pause(.milliseconds(20), until: deadline, "no barrier behind the last frame")
        }
        for shard in 0..<shards {
            let stream = StreamKeys().firehoseLive(shard)
            let (length, last) = try await redis.lastEntry(of: stream)
            guard last["kind"] == "barrier", last["n"] == "\(length - 1)" else {
                throw Failure("\(stream) holds \(length) entries, the last of number \(last["n"] ?? "none")")
            }
        }
    }

    private static func lengths(_ redis: RedisClient) async throws -> [Int] {
        var batch = RedisBatch()
        for shard in 0..<shards { batch.append("XLEN", .string(StreamKeys().firehoseLive(shard))) }
        return try await redis.send(batch).map { Int(try $0.integer()) }
    }

    private static func clear(_ redis: RedisClient) async throws { try await redis.send(RedisCommand("FLUSHALL", "SYNC"), timeout: .seconds(60)) }

    private static func pause(_ duration: Duration, until deadline: ContinuousClock.Instant, _ complaint: String) async throws {
        guard ContinuousClock.now < deadline else { throw Failure("\(complaint) in time") }
        try await Task.sleep(for: duration)
    }

    // MARK: The ceiling

    private static func ceiling(_ configuration: FleetConfiguration, _ redis: RedisClient, entries: Int) async throws -> Round {
        try await clear(redis)
        guard case .unix(let socket) = redis.configuration.address else { throw Failure("the bench's Redis has no socket") }
        let arguments =
            [
                "redis-benchmark", "-s", socket, "--csv", "-P", "\(ceilingPipeline)", "-c", "\(ceilingConnections)", "-n", "\(entries)", "-r",
                "\(shards)",
                "XADD", "firehose_live:{__rand_int__}", "*", "host", "127.0.0.1:40000", "session", "1", "n", "1234", "epoch", "0", "seq", "1000000",
                "kind", "commit", "did", PreparedFrames.did(0), "rev", PreparedFrames.rev, "time", PreparedFrames.time, "frame",
            ] + [String(repeating: "x", count: frameBytes)]
        let before = try await cpuSeconds(of: redis)
        let text = try await Program.output(arguments)
        let cpu = try await cpuSeconds(of: redis) - before
        // Rate is the seventh field from the end: the first is the command itself.
        let fields = text.split(separator: "\n").last?.split(separator: "\",\"") ?? []
        guard fields.count >= 8, let rate = Double(fields[fields.count - 7]) else {
            throw Failure("redis-benchmark says nothing: \(text.suffix(200))")
        }
        return Round(framesPerSecond: rate, ownMicroseconds: 0, senderMicroseconds: 0, redisMicroseconds: cpu * 1_000_000 / Double(entries))
    }

    private static func cpuSeconds(of redis: RedisClient) async throws -> Double {
        let info = try await redis.send(RedisCommand("INFO", "cpu")).string()
        return info.split(whereSeparator: \.isNewline).reduce(0) { sum, line in
            guard line.hasPrefix("used_cpu_sys:") || line.hasPrefix("used_cpu_user:"), let colon = line.firstIndex(of: ":") else { return sum }
            return sum + (Double(line[line.index(after: colon)...]) ?? 0)
        }
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
    private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

extension RedisClient {
    /// The length of a stream, and the fields of its newest entry but for the frame.
    fileprivate func lastEntry(of stream: String) async throws -> (length: Int, fields: [String: String]) {
        let replies = try await send(
            RedisBatch(RedisCommand("XLEN", .string(stream)), RedisCommand("XREVRANGE", .string(stream), "+", "-", "COUNT", .integer(1))))
        var fields: [String: String] = [:]
        if let entry = try replies[1].array().first, let values = try entry.array().last?.array() {
            for index in stride(from: 0, to: values.count - 1, by: 2) { fields[try values[index].string()] = try values[index + 1].string() }
        }
        return (Int(try replies[0].integer()), fields)
    }
}

/// Runs a program to its end on a thread of its own.
private enum Program {
    static func output(_ arguments: [String]) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let process = Process()
                let pipe = Pipe()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                process.arguments = arguments
                process.standardOutput = pipe
                do {
                    try process.run()
                    let data = pipe.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    guard process.terminationStatus == 0 else {
                        throw Failure("\(arguments.first ?? "") ended with \(process.terminationStatus): is redis-tools installed?")
                    }
                    continuation.resume(returning: String(decoding: data, as: UTF8.self))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}
