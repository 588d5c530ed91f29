import Testing

@testable import Events

@Suite struct SinkDefinitionTests {
    private func definition(_ settings: [(String, [String])]) throws -> SinkDefinition {
        let name = try #require(SinkName("audit"))
        return try SinkDefinition(name: name, settings: SinkSettings(settings.map { SinkSettings.Setting($0.0, $0.1) }))
    }

    @Test("a sink says what it is; what it leaves out has its default")
    func reads() throws {
        let hook = try definition([
            ("kind", ["webhook"]), ("url", ["https://example.com:8443/in?x=1"]), ("secret", ["0123456789abcdef"]), ("runs.kinds", ["firehose"]),
            ("filter.collections", ["app.bsky.feed.*", "app.bsky.graph.follow"]), ("filter.kinds", ["record,identity"]), ("format", ["jetstream"]),
            ("start", ["earliest"]), ("policy", ["dead-letter"]), ("batch.bytes", ["4096"]), ("timeout", ["1500ms"]), ("rate", ["100"]),
        ])
        guard case .webhook(let target) = hook.target else { return #expect(Bool(false)) }
        #expect(
            target.origin == "https://example.com:8443" && target.path == "/in?x=1" && target.secret == "0123456789abcdef" && !target.allowsPrivate)
        #expect(hook.batch == SinkDefinition.Batch(events: 50, bytes: 4096) && hook.timeout == .milliseconds(1500) && hook.rate == 100)
        #expect(hook.filter.kinds == [.record, .identity] && hook.filter.collections.count == 2 && hook.format == .jetstream)
        #expect(hook.start == .earliest && hook.policy == .deadLetter && hook.runs == SinkDefinition.Runs(kinds: ["firehose"], prefix: ""))

        let table = try definition([("kind", ["postgres"]), ("table", ["app.events"]), ("mode", ["upsert"])])
        #expect(table.batch.events == 500 && table.policy == .halt && table.start == .now && table.attempts == 5)
        guard case .postgres(nil, let name, .upsert) = table.target else { return #expect(Bool(false)) }
        #expect(name.description == "\"app\".\"events\"" && name.qualified("c") == "\"app\".\"c\"")
        #expect(try definition([("kind", ["redis"]), ("stream", ["s"])]).target == .redis(url: nil, stream: "s", length: 100_000))
    }

    private static let impossible: [([(String, String)], String)] = [
        ([("path", "x")], "kind"),
        ([("kind", "pipe")], "kind"),
        ([("kind", "file")], "path"),
        ([("kind", "file"), ("path", "a/../b")], "path"),
        ([("kind", "file"), ("path", "a/")], "path"),
        ([("kind", "stdout"), ("path", "x")], "path"),
        ([("kind", "stdout"), ("filter.collections", "app..x")], "filter.collections"),
        ([("kind", "stdout"), ("start", "0")], "start"),
        ([("kind", "stdout"), ("timeout", "1")], "timeout"),
        ([("kind", "stdout"), ("batch.events", "0")], "batch.events"),
        ([("kind", "stdout"), ("runs.prefix", "a b")], "runs.prefix"),
        ([("kind", "webhook"), ("url", "ftp://x")], "url"),
        ([("kind", "webhook"), ("url", "http://u@x/")], "url"),
        ([("kind", "webhook"), ("url", "http://x/"), ("secret", "short")], "secret"),
        ([("kind", "postgres"), ("table", "a.b.c")], "table"),
        ([("kind", "postgres"), ("table", "Robert'); DROP")], "table"),
        ([("kind", "postgres"), ("table", "t"), ("format", "tap")], "format"),
        ([("kind", "redis"), ("stream", "s"), ("url", "http://x")], "url"),
    ]

    @Test(
        "a setting that cannot be is told with its name and what is allowed",
        arguments: impossible)
    func refuses(_ settings: [(String, String)], _ place: String) {
        let problem = #expect(throws: SinkProblem.self) { try definition(settings.map { ($0.0, [$0.1]) }) }
        #expect(problem?.setting == place, "\(String(describing: problem))")
        #expect(problem?.description.contains("u@x") != true)
    }

    @Test("secrets are not shown")
    func secrets() throws {
        let shown = try SinkSettings([
            SinkSettings.Setting("secret", ["0123456789abcdef"]), SinkSettings.Setting("url", ["https://me:pass@host/p?token=1"]),
            SinkSettings.Setting("kind", ["webhook"]),
        ]).shown
        #expect(shown.all.map(\.values) == [["webhook"], ["•••"], ["https://me:•••@host/p?•••"]])
    }

    @Test("names of sinks are short and plain, and outlet is taken")
    func names() {
        for good in ["a", "audit-log_2", String(repeating: "x", count: 48)] { #expect(SinkName(good) != nil) }
        for bad in ["", "outlet", "A", "1a", "a.b", "a b", String(repeating: "x", count: 49)] { #expect(SinkName(bad) == nil) }
    }
}
