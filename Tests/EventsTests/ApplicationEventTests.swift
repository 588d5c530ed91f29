import Testing

@testable import Events

@Suite struct ApplicationEventTests {
    private static let run = RunID("orders/7")

    private func event(_ type: String = "order.paid", key: String = "", sequence: Int64? = nil) throws -> LogEvent {
        let run = try #require(Self.run)
        return LogEvent(ApplicationEvent(type: type, key: key, payload: Array(#"{"n":1}"#.utf8)), run: run, keySequence: sequence)
    }

    @Test("weir: type, key and key_seq in the place of a record's names, the value under payload; other shapes leave it out")
    func format() throws {
        var keyed = try event(key: "a\"b", sequence: .max)
        keyed.seq = 3
        #expect(keyed.type == "order.paid" && keyed.key == "a\"b" && keyed.keySequence == .max)
        let text = EventFormat.weir.render(keyed).map { String(decoding: $0, as: UTF8.self) }
        #expect(
            text
                == #"{"run":"orders/7","seq":3,"kind":"event","type":"order.paid","key":"a\"b","key_seq":9223372036854775807,"live":true,"#
                + #""payload":{"n":1},"logged_at":"1970-01-01T00:00:00.000000Z"}"#)
        let plain = EventFormat.weir.render(try event()).map { String(decoding: $0, as: UTF8.self) }
        #expect(plain?.contains("key") == false)
        #expect(EventFormat.jetstream.render(keyed) == nil && EventFormat.tap.render(keyed) == nil)
    }

    @Test("other kinds have no type and no key")
    func others() {
        let record = LogEvent(run: .firehose(0), seq: 1, kind: .record, did: "did:plc:a", rev: "5", collection: "a.b.c", rkey: "k")
        #expect(record.type.isEmpty && record.key.isEmpty && record.keySequence == nil)
    }

    @Test(
        "a type's wildcard stands for whole segments, and types speak of what applications append only",
        arguments: [("order.*", true), ("order.paid", true), ("*", true), ("order", false), ("order.paid.*", false), ("ord.*", false)])
    func types(pattern: String, matches: Bool) throws {
        let filter = try EventFilter(types: [pattern])
        #expect(filter.matches(try event()) == matches)
        #expect(filter.matches(LogEvent(run: .firehose(0), seq: 1, kind: .record, did: "did:plc:a", collection: "a.b.c")))
        #expect(try EventFilter(collections: ["a.b.c"], actions: ["delete"]).matches(try event()))
    }

    @Test("a type of another form is refused", arguments: ["", ".a", "a.", "a..b", "a b", "a.*.b", "é", "a*", "**"])
    func badTypes(text: String) {
        #expect(!ApplicationEvent.isType(text))
        #expect { try EventFilter(types: [text]) } throws: { ($0 as? EventFilterError)?.field == .types }
    }

    @Test("a type is told by its bytes", arguments: [("a", true), ("text-delta", true), ("tool_call", true), ("a:b/c.D9", true)])
    func goodTypes(text: String, good: Bool) {
        #expect(ApplicationEvent.isType(text) == good)
        #expect(!ApplicationEvent.isType(String(repeating: "a", count: ApplicationEvent.typeBytesMax + 1)))
    }

    @Test(
        "ids that are Weir's own, or that could not be asked for, are not created",
        arguments: [
            ("orders/7", true), ("a", true), ("firehose/3", false), ("firehose", false), ("backfill/x", false), ("replay/1", false),
            ("labels/0", false),
            ("changes/s/1", false), ("a/events", false), ("a/stream", false), ("a/snapshot", false), ("a/finish", false), ("a//b", false),
            ("/a", false), ("a/", false), ("a/../b", false), (".", false), ("firehoses/1", true), ("events/1", true),
        ])
    func ids(text: String, good: Bool) throws {
        #expect((try #require(RunID(text)).whyNotCreatable == nil) == good)
    }
}
