import TestSupport
import Testing

@testable import PostgresClient

@Suite(.timeLimit(.minutes(10))) struct PostgresFaultTests {
    /// Waits, by asking the server, until the connection's statement runs.
    private func waitUntilBusy(_ id: Int32, _ observer: PostgresConnection) async throws {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND wait_event = 'PgSleep'"
        while try await observer.query(sql, [.int32(id)])[0].value(0, as: Int64.self) == 0 {}
    }

    @Test func `a session ended in mid-query says so, may have committed, and is not used again`() async throws {
        let connection = try await TestServer.connect()
        let observer = try await TestServer.connect()
        let id = await connection.backendID
        let task = Task { _ = try await connection.query("SELECT pg_sleep(600)") }
        try await waitUntilBusy(id, observer)
        _ = try await observer.query("SELECT pg_terminate_backend($1)", [.int32(id)])
        let error = await failure { try await task.value }
        #expect(error?.code == .adminShutdown)
        #expect(error?.mayHaveCommitted == true)
        #expect(error?.isRetryable == true)
        #expect(!connection.isUsable)
    }

    @Test func `a connection lost inside a transaction has not committed`() async throws {
        let connection = try await TestServer.connect()
        let observer = try await TestServer.connect()
        let id = await connection.backendID
        let error = await failure {
            try await connection.transaction { connection in
                _ = try await connection.query("SELECT 1")
                _ = try await observer.query("SELECT pg_terminate_backend($1, 60000)", [.int32(id)])
                _ = try await connection.query("SELECT 2")
            }
        }
        #expect(error?.code == .adminShutdown)
        #expect(error?.mayHaveCommitted == false)
    }

    @Test func `cancelling the task ends the statement on the server and the connection`() async throws {
        let connection = try await TestServer.connect()
        let observer = try await TestServer.connect()
        let id = await connection.backendID
        let task = Task { _ = try await connection.query("SELECT pg_sleep(600)") }
        try await waitUntilBusy(id, observer)
        let start = ContinuousClock.now
        task.cancel()
        #expect(await failure { try await task.value }?.code == .cancelled)
        #expect(ContinuousClock.now - start < .seconds(60))
        #expect(!connection.isUsable)
        // The server is told, and ends the statement long before its own end.
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'"
        while try await observer.query(sql, [.int32(id)])[0].value(0, as: Int64.self) != 0 {}
    }

    @Test func `a statement that another session cancels is told apart from our own cancellation`() async throws {
        let connection = try await TestServer.connect()
        let observer = try await TestServer.connect()
        let id = await connection.backendID
        let task = Task { _ = try await connection.query("SELECT pg_sleep(600)") }
        try await waitUntilBusy(id, observer)
        _ = try await observer.query("SELECT pg_cancel_backend($1)", [.int32(id)])
        #expect(await failure { try await task.value }?.code == .queryCancelled)
        #expect(connection.isUsable)
    }

    @Test func `the statement timeout is the server's`() async throws {
        let connection = try await TestServer.connect { $0.statementTimeout = .milliseconds(50) }
        #expect(await failure { _ = try await connection.query("SELECT pg_sleep(600)") }?.code == .queryCancelled)
        #expect(connection.isUsable)
    }

    @Test(arguments: [0, 1, 5, 20_000])
    func `a reply cut after some bytes is a failure of the connection`(bytes: Int) async throws {
        let proxy = try await FaultyServer.start(target: try await TestServer.address())
        let connection = try await PostgresConnection.connect(try await TestServer.configuration(port: proxy.port))
        #expect(try await connection.query("SELECT 1::int8").count == 1)
        proxy.set(.cutReplies(afterBytes: bytes))
        let error = await failure { _ = try await connection.query("SELECT repeat('x', 100000)") }
        #expect(error?.code == .connectionFailure)
        #expect(error?.mayHaveCommitted == true)
        #expect(!connection.isUsable)
        await proxy.stop()
    }

    @Test func `a server that falls silent is given up after the silence timeout`() async throws {
        let proxy = try await FaultyServer.start(target: try await TestServer.address())
        var configuration = try await TestServer.configuration(port: proxy.port)
        configuration.silenceTimeout = .milliseconds(200)
        let connection = try await PostgresConnection.connect(configuration)
        proxy.set(.silent)
        let error = await failure { _ = try await connection.query("SELECT 1") }
        #expect(error?.code == .timeout)
        #expect(!connection.isUsable)
        await proxy.stop()
    }

    @Test func `cancelling under silence ends after the grace`() async throws {
        let proxy = try await FaultyServer.start(target: try await TestServer.address())
        var configuration = try await TestServer.configuration(port: proxy.port)
        configuration.cancelGrace = .milliseconds(200)
        let connection = try await PostgresConnection.connect(configuration)
        proxy.set(.silent)
        let start = ContinuousClock.now
        let task = Task { _ = try await connection.query("SELECT 1") }
        task.cancel()
        #expect(await failure { try await task.value }?.code == .cancelled)
        #expect(ContinuousClock.now - start < .seconds(60))
        await proxy.stop()
    }

    @Test func `garbage in place of an answer is a failure of the connection`() async throws {
        let proxy = try await FaultyServer.start(target: try await TestServer.address())
        let connection = try await PostgresConnection.connect(try await TestServer.configuration(port: proxy.port))
        proxy.set(.answer([UInt8](repeating: 0xff, count: 3000)))
        let error = await failure { _ = try await connection.query("SELECT 1") }
        #expect(error?.code == .connectionFailure)
        #expect(!connection.isUsable)
        await proxy.stop()
    }

    @Test func `garbage, silence and refusal at the start end the attempt within its timeout`() async throws {
        for (fault, code) in [
            (.answer(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)), .connectionFailure), (.silent, .timeout), (.refuse, .connectionFailure),
        ] as [(FaultyServer.Fault, PostgresErrorCode)] {
            let server = try await FaultyServer.start(fault: fault)
            var configuration = try await TestServer.configuration(port: server.port)
            if code == .timeout { configuration.connectTimeout = .milliseconds(1500) }
            let error = await failure { _ = try await PostgresConnection.connect(configuration) }
            #expect(error?.code == code, "\(fault)")
            #expect(error?.mayHaveCommitted == false)
            await server.stop()
        }
    }

    @Test func `a pool outlives the restart of its server`() async throws {
        let server = try await PrivatePostgres.start()
        let pool = TestServer.pool(TestServer.patient(try PostgresConfiguration(url: server.url))) { $0.acquireTimeout = .seconds(120) }
        _ = try await pool.query("SELECT 1")
        await server.kill()
        async let during = pool.query("SELECT 2::int8")
        try await server.start()
        // The first query may have met the dead connection; the pool itself must have recovered.
        _ = try? await during
        #expect(try await pool.query("SELECT 3::int8")[0].value(0, as: Int64.self) == 3)
        await pool.close()
        await server.stop()
    }
}
