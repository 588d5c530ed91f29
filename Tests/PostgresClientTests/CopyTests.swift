import TestSupport
import Testing

@testable import PostgresClient

@Suite(.timeLimit(.minutes(10))) struct CopyTests {
    @Test func `a hundred thousand rows arrive whole, with nulls and binary`() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute(
            "CREATE TEMP TABLE t (a int8, b text, c bytea, d bool, e int2, f int4, g timestamptz, h date)")
        var writer = BinaryCopyWriter(columnCount: 8)
        for number in 0..<100_000 {
            writer.beginRow()
            writer.int64(Int64(number))
            writer.text(number % 3 == 0 ? nil : "zeile \(number)")
            writer.bytea([0, UInt8(truncatingIfNeeded: number), 0])
            writer.bool(number % 2 == 0)
            writer.int16(Int16(truncatingIfNeeded: number))
            writer.int32(nil)
            writer.timestamp(PostgresTimestamp(microsecondsSince1970: Int64(number) * 1_000_000))
            writer.date(PostgresDate(daysSince1970: Int32(number)))
        }
        let chunks = writer.chunks()
        #expect(chunks.count > 50)
        #expect(chunks.allSatisfy { $0.count < 70_000 })
        let count = try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)", chunks: chunks)
        #expect(count == 100_000)
        let rows = try await connection.query(
            "SELECT sum(a)::int8, count(b), count(*) FILTER (WHERE get_byte(c, 1) = a % 256 AND length(c) = 3), count(f), "
                + "count(*) FILTER (WHERE extract(epoch FROM g) = a AND h - '1970-01-01' = a) FROM t")
        #expect(try rows[0].value(0, as: Int64.self) == 4_999_950_000)
        #expect(try rows[0].value(1, as: Int64.self) == 66_666)
        #expect(try rows[0].value(2, as: Int64.self) == 100_000)
        #expect(try rows[0].value(3, as: Int64.self) == 0)
        #expect(try rows[0].value(4, as: Int64.self) == 100_000)
    }

    @Test func `an empty COPY writes nothing and is no error`() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("CREATE TEMP TABLE t (a int8)")
        #expect(try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)", BinaryCopyWriter(columnCount: 1)) == 0)
    }

    @Test func `a COPY that violates a constraint writes nothing and leaves the connection usable`() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("CREATE TEMP TABLE t (a int8 PRIMARY KEY)")
        var writer = BinaryCopyWriter(columnCount: 1)
        for number in [1, 2, 1] as [Int64] {
            writer.beginRow()
            writer.int64(number)
        }
        let error = await failure { _ = try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)", writer) }
        #expect(error?.code == .uniqueViolation)
        #expect(try await connection.query("SELECT count(*) FROM t")[0].value(0, as: Int64.self) == 0)
    }

    @Test func `garbage as input of a COPY is an error of the server`() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("CREATE TEMP TABLE t (a int8)")
        let chunks = [[UInt8]](repeating: [UInt8](repeating: 0xaa, count: 100_000), count: 40)
        let error = await failure { _ = try await connection.copyIn("COPY t FROM STDIN (FORMAT binary)", chunks: chunks) }
        #expect(error?.code == .other("22P04"))
        #expect(connection.isUsable)
    }

    @Test func `a COPY into a missing table is an error of the server`() async throws {
        let connection = try await TestServer.connect()
        let error = await failure { _ = try await connection.copyIn("COPY nowhere FROM STDIN (FORMAT binary)", chunks: [[1]]) }
        #expect(error?.code == .undefinedTable)
        #expect(connection.isUsable)
    }

    @Test func `cancelling a task in mid-COPY leaves no row`() async throws {
        let connection = try await TestServer.connect()
        let observer = try await TestServer.connect()
        let schema = RandomName.schema()
        try await observer.execute("CREATE SCHEMA \(schema); CREATE TABLE \(schema).t (a int8)")
        let task = Task {
            var header = BinaryCopyWriter(columnCount: 1)
            header.beginRow()
            header.int64(1)
            // Without an end: rows of a COPY that only the cancellation finishes.
            let row = Array(header.chunks()[0].dropFirst(19).dropLast(2))
            let first = Array(header.chunks()[0].dropLast(2))
            return try await connection.copyIn("COPY \(schema).t FROM STDIN (FORMAT binary)", chunks: EndlessChunks(first: first, rest: row))
        }
        // The COPY is seen running before it is cancelled.
        let started = "SELECT count(*) FROM pg_stat_progress_copy WHERE relid = '\(schema).t'::regclass AND tuples_processed > 10"
        while try await observer.query(started)[0].value(0, as: Int64.self) == 0 {}
        task.cancel()
        #expect(await failure { _ = try await task.value }?.code == .cancelled)
        #expect(try await observer.query("SELECT count(*) FROM \(schema).t")[0].value(0, as: Int64.self) == 0)
        try await observer.execute("DROP SCHEMA \(schema) CASCADE")
    }
}

/// A sequence without an end.
private struct EndlessChunks: Sequence, Sendable {
    let first: [UInt8]
    let rest: [UInt8]

    func makeIterator() -> AnyIterator<[UInt8]> {
        var isFirst = true
        return AnyIterator {
            defer { isFirst = false }
            return isFirst ? first : rest
        }
    }
}
