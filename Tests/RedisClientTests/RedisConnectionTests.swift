import NIOCore
import RedisClient
import TestSupport
import Testing

/// Against a real server.
@Suite(.timeLimit(.minutes(10))) struct RedisConnectionTests {
    private func withConnection(_ body: (RedisConnection, String) async throws -> Void) async throws {
        var configuration = try RedisConfiguration(url: try await SharedServers.redisURL())
        configuration.connectTimeout = .seconds(60)
        configuration.commandTimeout = .seconds(60)
        let connection = try await RedisConnection.connect(configuration)
        let prefix = RandomName.prefix()
        try await body(connection, prefix)
        await connection.close()
    }

    @Test("a batch gets one reply a command, errors among them") func batch() async throws {
        try await withConnection { connection, prefix in
            var batch = RedisBatch()
            batch.append("SET", .string(prefix), "text", "EX", 60)
            batch.append("INCR", .string(prefix))
            batch.append("XLEN", .string(prefix))
            batch.append("GET", .string(prefix))
            batch.append("GET", .string(prefix + "none"))
            let replies = try await connection.send(batch)
            #expect(replies.count == 5)
            #expect(replies[0] == .simple("OK"))
            #expect(replies[1].serverError?.kind == .other)
            #expect(replies[2].serverError?.kind == .wrongType)
            #expect(try replies[3].string() == "text")
            #expect(replies[4].isNull)
        }
    }

    @Test("any bytes come back as they went, up to 10 MB") func binary() async throws {
        try await withConnection { connection, prefix in
            var random = TestSeed("binary").generator()
            for size in [0, 1, 255, 70_000, 10 << 20] {
                let value = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                try await connection.send(RedisCommand("SET", .string(prefix), .bytes(value), "EX", 60))
                #expect(try await connection.send(RedisCommand("GET", .string(prefix))).bytes() == value)
            }
            try await connection.send(RedisCommand("DEL", .string(prefix)))
        }
    }

    @Test("keys and values may hold NUL bytes and line ends") func nulBytes() async throws {
        try await withConnection { connection, prefix in
            let key = RedisArgument.string(prefix + "a\0b\r\nc")
            try await connection.send(RedisCommand("SET", key, "\0\r\n", "EX", 60))
            #expect(try await connection.send(RedisCommand("GET", key)).string() == "\0\r\n")
        }
    }

    @Test("many batches at once each get their own replies") func concurrent() async throws {
        try await withConnection { connection, prefix in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        var batch = RedisBatch()
                        for part in 0..<(number % 7 + 1) { batch.append("ECHO", .string("\(prefix)\(number)/\(part)")) }
                        let replies = try await connection.send(batch)
                        for (part, reply) in replies.enumerated() { #expect(try reply.string() == "\(prefix)\(number)/\(part)") }
                        #expect(replies.count == number % 7 + 1)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a blocking read with a longer time-out returns empty and leaves the connection open") func blocking() async throws {
        try await withConnection { connection, prefix in
            let reply = try await connection.send(
                RedisCommand("XREAD", "BLOCK", 30, "STREAMS", .string(prefix), "0"), timeout: .seconds(60))
            #expect(reply.isNull)
            #expect(connection.isOpen)
        }
    }

    @Test("a time-out closes the connection and says that the command may have run") func timeOut() async throws {
        try await withConnection { connection, prefix in
            let error = await #expect(throws: RedisError.self) {
                try await connection.send(RedisCommand("BLPOP", .string(prefix), 600), timeout: .milliseconds(30))
            }
            #expect(error?.code == .timedOut)
            #expect(error?.mayHaveExecuted == true)
            #expect(error?.place.contains("BLPOP") == true)
            let after = await #expect(throws: RedisError.self) { try await connection.send(RedisCommand("PING")) }
            #expect(after?.code == .connectionClosed)
            #expect(after?.mayHaveExecuted == false)
        }
    }

    @Test("cancelling a task that waits ends its wait and the connection; what it was pipelined with is told so") func cancellation() async throws {
        try await withConnection { connection, prefix in
            try await connection.send(RedisCommand("CLIENT", "SETNAME", .string(prefix)))
            // Tells when the server has a command of the connection.
            let other = try await RedisConnection.connect(connection.configuration)
            let waitUntil = { (holds: (Substring) -> Bool) in
                while true {
                    let clients = try await other.send(RedisCommand("CLIENT", "LIST")).string().split(separator: "\n")
                    if clients.contains(where: { $0.contains("name=\(prefix) ") && holds($0) }) { return }
                }
            }
            let blocked = Task { try await connection.send(RedisCommand("BLPOP", .string(prefix), 600), timeout: .seconds(700)) }
            try await waitUntil { $0.contains("cmd=blpop") }
            let behind = Task { try await connection.send(RedisCommand("ECHO", "x"), timeout: .seconds(700)) }
            // A blocked client's next command waits in the server's buffer.
            try await waitUntil { $0.contains("cmd=blpop") && !$0.contains("qbuf=0 ") }
            blocked.cancel()
            #expect((await blocked.result.redisError)?.code == .cancelled)
            let poisoned = await behind.result.redisError
            #expect(poisoned?.code == .connectionClosed)
            await other.close()
        }
    }

    @Test("a task that is cancelled already sends nothing") func cancelledBefore() async throws {
        try await withConnection { connection, prefix in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await connection.send(RedisCommand("SET", .string(prefix), "1", "EX", 60))
            }
            let error = await task.result.redisError
            #expect(error?.code == .cancelled)
            #expect(error?.mayHaveExecuted == false)
            let value = try await connection.send(RedisCommand("GET", .string(prefix)))
            #expect(value.isNull)
        }
    }
}

extension Result where Failure == any Error {
    static func of(_ body: () async throws -> Success) async -> Self {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    var redisError: RedisError? {
        if case .failure(let error) = self { return error as? RedisError }
        return nil
    }
}
