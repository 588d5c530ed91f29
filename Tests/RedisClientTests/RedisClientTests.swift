import NIOCore
import RedisClient
import TestSupport
import Testing

/// A client over servers that restart, refuse and misbehave.
@Suite(.timeLimit(.minutes(10))) struct RedisClientTests {
    private func configuration(port: Int) -> RedisConfiguration {
        var configuration = RedisConfiguration(address: .tcp(host: "127.0.0.1", port: port))
        configuration.connectionCount = 1
        configuration.connectTimeout = .seconds(60)
        configuration.commandTimeout = .seconds(60)
        configuration.reconnectDelayMin = .milliseconds(5)
        configuration.reconnectDelayMax = .milliseconds(50)
        return configuration
    }

    /// Calls until it succeeds; the client's own pauses keep that from being a busy loop.
    private func untilUp(_ client: RedisClient, _ command: RedisCommand) async throws -> RedisValue {
        for _ in 0..<500 {
            let result = await Result.of { try await client.send(command) }
            switch result.redisError?.code {
            case .connectFailed, .connectionClosed: continue
            default: return try result.get()
            }
        }
        return try await client.send(command)
    }

    @Test("a restart of the server fails what was on the wire, and the next call connects again") func restart() async throws {
        let redis = try await PrivateRedis.start(appendOnly: true)
        let client = RedisClient(configuration(port: redis.port))
        try await client.send(RedisCommand("SET", "k", "1"))
        let blocked = Task {
            try await client.withDedicatedConnection { try await $0.send(RedisCommand("BLPOP", "list", 0), timeout: .seconds(600)) }
        }
        while try await !client.send(RedisCommand("CLIENT", "LIST")).string().contains("cmd=blpop") {}
        await redis.kill()
        let lost = await blocked.result.redisError
        #expect(lost?.code == .connectionClosed)
        #expect(lost?.mayHaveExecuted == true)
        let down = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("GET", "k"), timeout: .milliseconds(200)) }
        #expect(down?.mayHaveExecuted == false)
        try await redis.start()
        #expect(try await untilUp(client, RedisCommand("GET", "k")).string() == "1")
        await client.shutDown()
        let ended = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("PING")) }
        #expect(ended?.code == .shutDown)
        await redis.stop()
    }

    @Test("a cut in mid-reply gives the replies before it, and says that the rest may have run", arguments: [0, 5, 12, 40])
    func cut(bytes: Int) async throws {
        let redis = try await PrivateRedis.start()
        let proxy = try await FaultyServer.start(target: ("127.0.0.1", redis.port))
        let client = RedisClient(configuration(port: proxy.port))
        try await client.send(RedisCommand("PING"))
        proxy.set(.cutReplies(afterBytes: bytes))
        var batch = RedisBatch()
        for _ in 0..<10 { batch.append("INCR", "n") }
        let error = await #expect(throws: RedisError.self) { try await client.send(batch) }
        #expect(error?.code == .connectionClosed)
        #expect(error?.mayHaveExecuted == true)
        // ":1\r\n" is four bytes, ":10\r\n" five.
        let whole = min(bytes / 4, 9)
        #expect(error?.answered == (0..<whole).map { .integer(Int64($0 + 1)) })
        proxy.set(.none)
        #expect(try await untilUp(client, RedisCommand("GET", "n")).integer() == 10)
        await client.shutDown()
        await proxy.stop()
        await redis.stop()
    }

    @Test("garbage ends the connection as a violation of the protocol") func garbage() async throws {
        let redis = try await PrivateRedis.start()
        let proxy = try await FaultyServer.start(target: ("127.0.0.1", redis.port))
        let client = RedisClient(configuration(port: proxy.port))
        try await client.send(RedisCommand("PING"))
        proxy.set(.answer(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)))
        let error = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("GET", "k")) }
        #expect(error?.code == .protocolViolation)
        #expect(error?.mayHaveExecuted == true)
        let connecting = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("GET", "k")) }
        #expect(connecting?.code == .connectFailed)
        await client.shutDown()
        await proxy.stop()
        await redis.stop()
    }

    @Test("more replies than commands end the connection") func unsolicited() async throws {
        let server = try await FaultyServer.start(fault: .answer(Array("+PONG\r\n+PONG\r\n".utf8)))
        let client = RedisClient(configuration(port: server.port))
        // The greeting takes the first; the second belongs to nobody.
        let error = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("GET", "k")) }
        #expect(error.map { [.connectFailed, .connectionClosed, .protocolViolation].contains($0.code) } == true)
        await client.shutDown()
        await server.stop()
    }

    @Test("a silent server is given up in time, when connecting and when connected") func silence() async throws {
        let redis = try await PrivateRedis.start()
        let proxy = try await FaultyServer.start(target: ("127.0.0.1", redis.port), fault: .silent)
        var settings = configuration(port: proxy.port)
        settings.connectTimeout = .milliseconds(100)
        let client = RedisClient(settings)
        let connecting = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("PING")) }
        #expect(connecting?.code == .connectFailed)
        await client.shutDown()
        proxy.set(.none)
        let connected = RedisClient(configuration(port: proxy.port))
        try await connected.send(RedisCommand("PING"))
        proxy.set(.silent)
        let waiting = await #expect(throws: RedisError.self) { try await connected.send(RedisCommand("INCR", "n"), timeout: .milliseconds(100)) }
        #expect(waiting?.code == .timedOut)
        #expect(waiting?.mayHaveExecuted == true)
        await connected.shutDown()
        await proxy.stop()
        await redis.stop()
    }

    @Test("a full server refuses one command of a batch and takes the next") func outOfMemory() async throws {
        let redis = try await PrivateRedis.start(arguments: ["--maxmemory-policy", "noeviction"])
        let client = RedisClient(configuration(port: redis.port))
        let value = RedisArgument.bytes([UInt8](repeating: 7, count: 2 << 20))
        for number in 0..<6 { try await client.send(RedisCommand("SET", .string("k\(number)"), value)) }
        // Above the bound by half of what the deletion frees: buffers of connections, which count too, turn neither answer around.
        let info = try await client.send(RedisCommand("INFO", "memory")).string()
        let line = try #require(info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") })
        let used = try #require(Int64(line.dropFirst("used_memory:".count)))
        try await client.send(RedisCommand("CONFIG", "SET", "maxmemory", .integer(used - 3 << 20)))
        let replies = try await client.send(
            RedisBatch(RedisCommand("SET", "last", value), RedisCommand("DEL", "k0", "k1", "k2"), RedisCommand("SET", "small", "x")))
        #expect(replies[0].serverError?.kind == .oom)
        #expect(replies[1] == .integer(3))
        #expect(replies[2] == .simple("OK"))
        await client.shutDown()
        await redis.stop()
    }

    @Test("a replica's refusal and a server that loads are told apart") func readOnlyAndLoading() async throws {
        let redis = try await PrivateRedis.start(arguments: ["--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "yes"])
        let client = RedisClient(configuration(port: redis.port))
        let error = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("SET", "k", "v")) }
        #expect(error?.serverError?.kind == .readOnly)
        await client.shutDown()
        await redis.stop()

        let loading = try await FaultyServer.start(fault: .answer(Array("-LOADING Redis is loading the dataset in memory\r\n".utf8)))
        let other = RedisClient(configuration(port: loading.port))
        let refused = await #expect(throws: RedisError.self) { try await other.send(RedisCommand("GET", "k")) }
        #expect(refused?.code == .connectFailed)
        #expect(refused?.serverError?.kind == .loading)
        await other.shutDown()
        await loading.stop()
    }

    @Test("callers wait for their turn while too much is unanswered, and one too many is refused") func backpressure() async throws {
        let redis = try await PrivateRedis.start()
        var settings = configuration(port: redis.port)
        settings.inFlightBatchesMax = 2
        settings.waitingBatchesMax = 3
        let client = RedisClient(settings)
        let other = RedisClient(configuration(port: redis.port))
        try await client.send(RedisCommand("PING"))
        // The server answers no INCR until it is told to.
        try await other.send(RedisCommand("CLIENT", "PAUSE", 600_000, "WRITE"))
        let results = try await withThrowingTaskGroup(of: RedisError?.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    do {
                        _ = try await client.send(RedisCommand("INCR", "n"))
                        return nil
                    } catch { return error as? RedisError }
                }
            }
            // Only refusals come before that: two callers are unanswered, three wait.
            var results: [RedisError?] = []
            while results.count < 3, let result = try await group.next() { results.append(result) }
            try await other.send(RedisCommand("CLIENT", "UNPAUSE"))
            for try await result in group { results.append(result) }
            return results
        }
        #expect(results.filter { $0 == nil }.count == 5)
        #expect(results.compactMap { $0?.code } == [.overloaded, .overloaded, .overloaded])
        #expect(results.compactMap { $0?.mayHaveExecuted } == [false, false, false])
        await client.shutDown()
        await other.shutDown()
        await redis.stop()
    }

    @Test("an injected fault takes the place of the batch") func interceptor() async throws {
        let client = RedisClient(configuration(port: 1)) { batch throws(RedisError) in
            throw RedisError(code: .connectionClosed, message: "injected", place: batch.label, mayHaveExecuted: true)
        }
        let error = await #expect(throws: RedisError.self) { try await client.send(RedisCommand("XADD", "k")) }
        #expect(error?.message == "injected" && error?.place == "XADD")
    }

    @Test("many callers share one attempt to connect") func sharedAttempt() async throws {
        let redis = try await PrivateRedis.start()
        let proxy = try await FaultyServer.start(target: ("127.0.0.1", redis.port))
        let client = RedisClient(configuration(port: proxy.port))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await client.send(RedisCommand("INCR", "n")) } }
            try await group.waitForAll()
        }
        #expect(proxy.accepted == 1)
        await client.shutDown()
        await proxy.stop()
        await redis.stop()
    }
}
