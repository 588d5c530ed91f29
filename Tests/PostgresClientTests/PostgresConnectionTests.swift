import TestSupport
import Testing

@testable import PostgresClient

@Suite(.timeLimit(.minutes(10))) struct PostgresConnectionTests {
    @Test func `values of every type come back as they were sent`() async throws {
        let connection = try await TestServer.connect()
        let uuid = try #require(PostgresUUID("00112233-4455-6677-8899-AABBCCDDEEFF"))
        let time = PostgresTimestamp(microsecondsSince1970: 1_700_000_000_123_456)
        let rows = try await connection.query(
            "SELECT $1 a, $2 b, $3 c, $4 d, $5 e, $6 f, $7 g, $8 h, $9 i, $10 j",
            [
                .bool(true), .int16(-7), .int32(.min), .int64(.max), .double(-0.5), .text("Grüße \u{1F600}"), .bytea([0, 255, 0]), .timestamp(time),
                .date(PostgresDate(daysSince1970: -1)), .uuid(uuid),
            ])
        let row = try #require(rows.first)
        #expect(try row.value("a") == true)
        #expect(try row.value("b", as: Int16.self) == -7)
        #expect(try row.value("c", as: Int32.self) == .min)
        #expect(try row.value("d", as: Int64.self) == .max)
        #expect(try row.value("e", as: Double.self) == -0.5)
        #expect(try row.value("f", as: String.self) == "Grüße \u{1F600}")
        #expect(try row.value("g", as: [UInt8].self) == [0, 255, 0])
        #expect(try row.value("h") == time)
        #expect(try row.value("i") == PostgresDate(daysSince1970: -1))
        #expect(try row.value("j") == uuid)
        #expect(uuid.description == "00112233-4455-6677-8899-aabbccddeeff")
    }

    @Test func `times mean the same to the server and to us`() async throws {
        let connection = try await TestServer.connect()
        let rows = try await connection.query(
            "SELECT extract(epoch FROM $1::timestamptz)::int8, '1970-01-02T00:00:01Z'::timestamptz, 'infinity'::timestamptz, $2::date = '1970-01-11'",
            [.timestamp(PostgresTimestamp(microsecondsSince1970: 5_000_000)), .date(PostgresDate(daysSince1970: 10))])
        #expect(try rows[0].value(0, as: Int64.self) == 5)
        #expect(try rows[0].value(1) == PostgresTimestamp(microsecondsSince1970: 86_401_000_000))
        #expect(try rows[0].value(2) == PostgresTimestamp(microsecondsSince1970: .max))
        #expect(try rows[0].value(3) == true)
    }

    @Test func `the bytes of a text are its UTF-8; what is null or no text is refused by the column's name`() async throws {
        let connection = try await TestServer.connect()
        let rows = try await connection.query("SELECT 'Grüße'::text a, '{\"a\":1}'::json b, '' c, NULL::text d, 7::int8 e, '\\x41'::bytea f")
        let row = try #require(rows.first)
        #expect(try row.utf8(0) == Array("Grüße".utf8))
        #expect(try row.utf8(1) == Array(#"{"a":1}"#.utf8))
        #expect(try row.utf8(2) == [])
        for (place, name) in [(3, "d"), (4, "e"), (5, "f")] {
            let error = #expect(throws: PostgresError.self) { try row.utf8(place) }
            #expect(error?.code == .decoding && error?.message.contains("\"\(name)\"") == true)
        }
    }

    @Test func `nulls and empty values are told apart`() async throws {
        let connection = try await TestServer.connect()
        let rows = try await connection.query("SELECT $1, $2, $3, $4", [.text(nil), .text(""), .bytea([]), .int64(nil)])
        #expect(try rows[0].optional(0, as: String.self) == nil)
        #expect(try rows[0].value(1, as: String.self) == "")
        #expect(try rows[0].value(2, as: [UInt8].self) == [])
        #expect(try rows[0].optional(3, as: Int64.self) == nil)
    }

    @Test func `arrays carry nulls, empty ones and binary through unnest and back`() async throws {
        let connection = try await TestServer.connect()
        let rows = try await connection.query(
            "SELECT array_agg(a) x, array_agg(b) y, array_agg(c) z, array_agg(d) v, array_agg(e) w, array_agg(f) u "
                + "FROM unnest($1, $2, $3, $4, $5, $6) AS t(a, b, c, d, e, f)",
            [
                .int64s([1, nil, -3]), .texts(["", nil, "ü"]), .byteas([[], [0, 1], nil]), .bools([true, false, nil]), .int16s([nil, 2, 3]),
                .timestamps([PostgresTimestamp(microsecondsSince1970: 0), nil, nil]),
            ])
        #expect(try rows[0].array("x", of: Int64.self) == [1, nil, -3])
        #expect(try rows[0].array("y", of: String.self) == ["", nil, "ü"])
        #expect(try rows[0].array("z", of: [UInt8].self) == [[], [0, 1], nil])
        #expect(try rows[0].array("v", of: Bool.self) == [true, false, nil])
        #expect(try rows[0].array("w", of: Int16.self) == [nil, 2, 3])
        #expect(try rows[0].array("u", of: PostgresTimestamp.self) == [PostgresTimestamp(microsecondsSince1970: 0), nil, nil])
        let empty = try await connection.query("SELECT $1 a", [.int64s([])])
        #expect(try empty[0].array(0, of: Int64.self).isEmpty)
    }

    @Test func `a value of another type is an error that names the column`() async throws {
        let connection = try await TestServer.connect()
        let rows = try await connection.query("SELECT 'x' AS word, 70000 AS number, NULL::int8 AS nothing")
        for (column, read) in [
            ("word", { _ = try rows[0].value("word", as: Int64.self) }), ("number", { _ = try rows[0].value("number", as: Int16.self) }),
            ("nothing", { _ = try rows[0].value("nothing", as: Int64.self) }), ("missing", { _ = try rows[0].value("missing", as: Int64.self) }),
        ] as [(String, () throws -> Void)] {
            let error = await failure { try read() }
            #expect(error?.code == .decoding)
            #expect(error?.entity == column)
        }
    }

    @Test(arguments: [
        ("SELECT 1/0", PostgresErrorCode.other("22012")), ("SELECT * FROM no_such_table", .undefinedTable), ("SELEC 1", .syntaxError),
        ("SELECT no_such()", .undefinedFunction), ("SELECT 'x'::int8", .invalidTextRepresentation),
    ])
    func `an error of the server is told by its code and leaves the connection usable`(sql: String, code: PostgresErrorCode) async throws {
        let connection = try await TestServer.connect()
        let error = await failure { _ = try await connection.query(sql) }
        #expect(error?.code == code)
        #expect(error?.statement == sql)
        #expect(error?.mayHaveCommitted == false)
        #expect(connection.isUsable)
        #expect(try await connection.query("SELECT 1::int8")[0].value(0, as: Int64.self) == 1)
    }

    @Test func `a text with U+0000 is refused as such`() async throws {
        let connection = try await TestServer.connect()
        #expect(await failure { _ = try await connection.query("SELECT $1", [.text("a\0b")]) }?.code == .characterNotInRepertoire)
        #expect(connection.isUsable)
    }

    @Test func `a pipeline returns an answer for each statement, and the failing one is named`() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("CREATE TEMP TABLE t (id int8 PRIMARY KEY)")
        let answers = try await connection.pipeline([
            PostgresStatement("INSERT INTO t VALUES ($1)", [.int64(1)]), PostgresStatement("INSERT INTO t VALUES ($1)", [.int64(2)]),
            PostgresStatement("SELECT count(*) FROM t"),
        ])
        #expect(answers.map(\.affectedRows) == [1, 1, 1])
        #expect(try answers[2][0].value(0, as: Int64.self) == 2)
        let error = await failure {
            _ = try await connection.pipeline([
                PostgresStatement("INSERT INTO t VALUES ($1)", [.int64(3)]), PostgresStatement("INSERT INTO t VALUES ($1)", [.int64(1)]),
                PostgresStatement("INSERT INTO t VALUES ($1)", [.int64(4)]),
            ])
        }
        #expect(error?.code == .uniqueViolation)
        #expect(error?.statementIndex == 1)
        #expect(error?.entity == "t_pkey")
        // All or none, and the connection goes on.
        #expect(try await connection.query("SELECT count(*) FROM t")[0].value(0, as: Int64.self) == 2)
    }

    @Test func `a long pipeline with large answers does not wedge`() async throws {
        let connection = try await TestServer.connect()
        let statement = PostgresStatement("SELECT repeat('x', 20000), $1", [.bytea([UInt8](repeating: 7, count: 20_000))])
        let answers = try await connection.pipeline([PostgresStatement](repeating: statement, count: 500))
        #expect(answers.count == 500)
        #expect(try answers[499][0].value(1, as: [UInt8].self).count == 20_000)
    }

    @Test func `statements that leave the cache leave the server too`() async throws {
        let connection = try await TestServer.connect { $0.preparedStatementsMax = 4 }
        for number in 0..<20 { _ = try await connection.query("SELECT \(number)") }
        let rows = try await connection.query("SELECT count(*) FROM pg_prepared_statements")
        #expect(try rows[0].value(0, as: Int64.self) <= 6)
    }

    @Test func `a statement whose table changed is prepared anew`() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("CREATE TEMP TABLE t (a int8); INSERT INTO t VALUES (1)")
        _ = try await connection.query("SELECT * FROM t")
        try await connection.execute("ALTER TABLE t ADD COLUMN b int8")
        let error = await failure { _ = try await connection.query("SELECT * FROM t") }
        #expect(error?.code == .stalePlan)
        #expect(error?.isRetryable == true)
        #expect(try await connection.query("SELECT * FROM t").columnNames == ["a", "b"])
    }

    @Test func `a transaction commits what its body did, and a throwing body leaves nothing`() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("CREATE TEMP TABLE t (id int8)")
        try await connection.transaction { connection in
            _ = try await connection.query("INSERT INTO t VALUES (1)")
        }
        let error = await failure {
            try await connection.transaction(isolation: .serializable) { connection in
                #expect(try await connection.query("SHOW transaction_isolation")[0].value(0, as: String.self) == "serializable")
                _ = try await connection.query("INSERT INTO t VALUES (2)")
                _ = try await connection.query("SELECT 1/0")
            }
        }
        #expect(error?.statementIndex == nil)
        try await connection.transaction { _ in }
        #expect(try await connection.query("SELECT count(*) FROM t")[0].value(0, as: Int64.self) == 1)
        #expect(!connection.isInTransaction)
    }

    @Test func `a statement in front of the COMMIT is part of the transaction, and where it fails nothing is committed`() async throws {
        let connection = try await TestServer.connect()
        try await connection.execute("CREATE TEMP TABLE t (id int8 PRIMARY KEY)")
        // Alone, with another statement, and forgotten by a rollback.
        try await connection.transaction { try await $0.beforeCommit(PostgresStatement("INSERT INTO t VALUES (1)")) }
        try await connection.transaction { connection in
            try await connection.beforeCommit(PostgresStatement("INSERT INTO t VALUES (2)"))
            #expect(try await connection.query("SELECT count(*) FROM t")[0].value(0, as: Int64.self) == 1)
        }
        _ = await failure {
            try await connection.transaction { connection in
                try await connection.beforeCommit(PostgresStatement("INSERT INTO t VALUES (3)"))
                throw PostgresError(code: .misuse, message: "enough")
            }
        }
        let error = await failure {
            try await connection.transaction { connection in
                _ = try await connection.query("INSERT INTO t VALUES (4)")
                try await connection.beforeCommit(PostgresStatement("INSERT INTO t VALUES (1)"))
                try await connection.afterCommit(PostgresStatement("INSERT INTO t VALUES (5)"))
            }
        }
        #expect(error?.code == .uniqueViolation)
        #expect(error?.mayHaveCommitted == false)
        #expect(!connection.isInTransaction)
        #expect(try await connection.query("SELECT array_agg(id ORDER BY id)::text FROM t")[0].value(0, as: String.self) == "{1,2}")
    }

    @Test func `misuse of COPY ends the connection and says why`() async throws {
        let connection = try await TestServer.connect()
        #expect(await failure { _ = try await connection.execute("COPY (SELECT 1) TO STDOUT") }?.code == .misuse)
        #expect(!connection.isUsable)
        #expect(await failure { _ = try await connection.query("SELECT 1") }?.code == .closed)
    }
}
