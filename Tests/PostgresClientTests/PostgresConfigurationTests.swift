import Testing

@testable import PostgresClient

@Suite struct PostgresConfigurationTests {
    @Test func `a URL and a key=value string mean the same`() throws {
        let url = try PostgresConfiguration(url: "postgres://ann:s%20ecret@db.example:6543/weir?sslmode=verify-full")
        let pairs = try PostgresConfiguration(url: "host=db.example port=6543 user=ann dbname=weir sslmode=verify-full password='s ecret'")
        #expect(url.parameters.map { "\($0)" } == pairs.parameters.map { "\($0)" })
        #expect(url.parameters.contains { $0 == ("sslmode", "verify-full") })
    }

    @Test func `neither a description nor an error shows the password`() throws {
        let configuration = try PostgresConfiguration(url: "postgres://ann:topsecret@db.example/weir")
        #expect("\(configuration)" == "ann@db.example:5432/weir")
        for broken in ["postgres://ann:topsecret%zz@db/weir", "postgres://ann:topsecret@[db/weir", "host=db password='topsecret"] {
            do {
                _ = try PostgresConfiguration(url: broken)
                Issue.record("\(broken) was taken")
            } catch {
                #expect(error.code == .invalidConfiguration)
                #expect(!"\(error)".contains("topsecret"))
            }
        }
    }

    @Test func `settings reach the server beside those of the URL`() async throws {
        let connection = try await TestServer.connect {
            $0.searchPath = ["my schema", "q\"uote"]
            $0.lockTimeout = .milliseconds(1234)
            $0.idleInTransactionTimeout = .seconds(4)
            $0.applicationName = "weir test"
        }
        func show(_ name: String) async throws -> String { try await connection.query("SHOW \(name)")[0].value(0) }
        #expect(try await show("search_path") == "\"my schema\",\"q\"\"uote\"")
        #expect(try await show("lock_timeout") == "1234ms")
        #expect(try await show("idle_in_transaction_session_timeout") == "4s")
        #expect(try await show("application_name") == "weir test")
        #expect(try await show("client_encoding") == "UTF8")
    }

    @Test func `names leave the statement cache least recently used first, and are never used twice`() {
        var cache = StatementCache(capacity: 2)
        func key(_ sql: String) -> StatementCache.Key { StatementCache.Key(sql: sql, typeIDs: []) }
        var names: Set<String> = []
        for sql in ["a", "b"] {
            let name = cache.freshName()
            #expect(names.insert(name).inserted)
            cache.prepared(key(sql), as: name)
        }
        let kept = cache.name(of: key("a"))
        cache.prepared(key("c"), as: cache.freshName())
        #expect(cache.name(of: key("b")) == nil)
        #expect(cache.name(of: key("a")) == kept)
        #expect(cache.evicted.count == 1)
        cache.evicted.forEach { cache.deallocated($0) }
        #expect(cache.evicted.isEmpty)
    }
}
