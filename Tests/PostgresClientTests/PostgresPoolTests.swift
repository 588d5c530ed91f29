import TestSupport
import Testing

@testable import PostgresClient

@Suite(.timeLimit(.minutes(10))) struct PostgresPoolTests {
    @Test func `a pool makes no more connections than it may, and all callers are served`() async throws {
        let configuration = try await TestServer.configuration()
        let pool = TestServer.pool(configuration) { $0.connectionsMax = 3 }
        try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<50 {
                group.addTask { try await pool.query("SELECT pg_backend_pid()")[0].value(0, as: Int32.self) }
            }
            var backends: Set<Int32> = []
            for try await id in group { backends.insert(id) }
            #expect((1...3).contains(backends.count))
        }
        await pool.close()
    }

    @Test func `a caller that gets no connection in time is told so, and the pool goes on`() async throws {
        let pool = TestServer.pool(try await TestServer.configuration()) {
            $0.connectionsMax = 1
            $0.acquireTimeout = .milliseconds(100)
            $0.checkedAfterIdle = .seconds(3600)
        }
        // The one connection may take longer to be made than callers may wait; once it is there it is lent at once.
        while await failure(of: { _ = try await pool.query("SELECT 1") }) != nil {}
        let error = await failure {
            try await pool.withConnection { _ in _ = try await pool.query("SELECT 1") }
        }
        #expect(error?.code == .poolExhausted)
        #expect(pool.waiterCount == 0)
        #expect(try await pool.query("SELECT 1::int8").count == 1)
        await pool.close()
    }

    @Test func `a cancelled caller leaves the queue`() async throws {
        let pool = TestServer.pool(try await TestServer.configuration()) { $0.connectionsMax = 1 }
        try await pool.withConnection { _ in
            let task = Task { _ = try await pool.query("SELECT 1") }
            task.cancel()
            #expect(await failure { try await task.value }?.code == .cancelled)
        }
        #expect(pool.waiterCount == 0)
        #expect(try await pool.query("SELECT 1").count == 1)
        await pool.close()
    }

    @Test func `a connection that the server ended while it was idle is replaced`() async throws {
        let pool = TestServer.pool(try await TestServer.configuration()) {
            $0.connectionsMax = 1
            $0.checkedAfterIdle = .zero
        }
        let id = try await pool.query("SELECT pg_backend_pid()")[0].value(0, as: Int32.self)
        let killer = try await TestServer.connect()
        _ = try await killer.query("SELECT pg_terminate_backend($1, 60000)", [.int32(id)])
        let next = try await pool.query("SELECT pg_backend_pid()")[0].value(0, as: Int32.self)
        #expect(next != id)
        await pool.close()
    }

    @Test func `a connection that comes back inside a transaction is not lent again`() async throws {
        let pool = TestServer.pool(try await TestServer.configuration()) { $0.connectionsMax = 1 }
        let first = try await pool.withConnection { connection in
            try await connection.execute("BEGIN")
            return await connection.backendID
        }
        let second = try await pool.withConnection { connection in await connection.backendID }
        #expect(first != second)
        await pool.close()
    }

    @Test func `a transaction that throws leaves nothing, and its connection is lent again`() async throws {
        let pool = TestServer.pool(try await TestServer.configuration()) { $0.connectionsMax = 1 }
        let schema = RandomName.schema()
        try await pool.execute("CREATE SCHEMA \(schema); CREATE TABLE \(schema).t (a int8)")
        let error = await failure {
            try await pool.transaction { connection in
                _ = try await connection.query("INSERT INTO \(schema).t VALUES (1)")
                throw PostgresError(code: .misuse, message: "on purpose")
            }
        }
        #expect(error?.message == "on purpose")
        #expect(try await pool.query("SELECT count(*) FROM \(schema).t")[0].value(0, as: Int64.self) == 0)
        try await pool.execute("DROP SCHEMA \(schema) CASCADE")
        await pool.close()
    }

    @Test func `a closed pool refuses callers and lets those that wait go`() async throws {
        let pool = TestServer.pool(try await TestServer.configuration()) { $0.connectionsMax = 1 }
        try await pool.withConnection { connection in
            await withTaskGroup(of: PostgresErrorCode?.self) { group in
                for _ in 0..<3 { group.addTask { await failure { _ = try await pool.query("SELECT 1") }?.code } }
                await pool.close()
                for await code in group { #expect(code == .closed) }
            }
            // Who holds a connection may finish.
            let rows = try await connection.query("SELECT 1")
            #expect(rows.count == 1)
        }
        #expect(await failure { _ = try await pool.query("SELECT 1") }?.code == .closed)
        #expect(pool.busyCount == 0)
    }

    @Test func `without a server the failure of connecting is what a caller gets`() async throws {
        let server = try await FaultyServer.start(fault: .refuse)
        // How many attempts fit into a time is the machine's matter: with more time there must be more than one.
        for time in [.milliseconds(300), .seconds(3), .seconds(30)] as [Duration] {
            let before = server.accepted
            let pool = TestServer.pool(try await TestServer.configuration(port: server.port)) { $0.acquireTimeout = time }
            let code = await failure { _ = try await pool.query("SELECT 1") }?.code
            #expect(pool.busyCount == 0)
            await pool.close()
            guard server.accepted > before + 1 || time == .seconds(30) else { continue }
            #expect(code == .connectionFailure)
            #expect(server.accepted > before + 1, "attempts are repeated while there is time")
            break
        }
        await server.stop()
    }
}
