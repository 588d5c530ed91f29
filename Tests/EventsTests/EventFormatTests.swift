import Testing

@testable import Events

@Suite struct EventFormatTests {
    private static let record = LogEvent(
        run: .firehose(3), seq: 42, kind: .record, did: "did:plc:abc", rev: "3kb3fge5lm32x", collection: "app.bsky.feed.post", rkey: "3kb",
        action: .create, cid: "bafy1", live: true, host: "relay.example", time: "2026-07-01T12:00:00.000Z",
        loggedAt: WallTime(microseconds: 1_782_907_200_000_001), body: Array(#"{"text":"a \"b\" \u0000","n":9007199254740993}"#.utf8))
    private static let delete = LogEvent(
        run: .firehose(3), seq: 43, kind: .record, did: "did:plc:abc", rev: "r", collection: "c.d", rkey: "k", action: .delete, mark: "chain",
        loggedAt: WallTime(microseconds: 7))
    private static let identity = LogEvent(
        run: .firehose(3), seq: 44, kind: .identity, did: "did:plc:abc", host: "h", time: "t", loggedAt: WallTime(microseconds: 8),
        body: Array(#"{ "handle" : "al\"ice.example" }"#.utf8))
    private static let account = LogEvent(
        run: .firehose(3), seq: 45, kind: .account, did: "did:plc:abc", time: "t", loggedAt: WallTime(microseconds: 9),
        body: Array(#"{"nested":{"active":true},"active":false,"status":"takendown"}"#.utf8))
    private static let terminal = LogEvent(
        run: .firehose(3), seq: 46, kind: .terminal, did: "", loggedAt: WallTime(microseconds: 10), body: Array(#"{"state":"finished"}"#.utf8))

    private func text(_ event: LogEvent, _ format: EventFormat) -> String? { format.render(event).map { String(decoding: $0, as: UTF8.self) } }

    @Test("weir: every member in its order, the body as it is")
    func weirRecord() {
        #expect(
            text(Self.record, .weir)
                == #"{"run":"firehose/3","seq":42,"kind":"record","did":"did:plc:abc","rev":"3kb3fge5lm32x","collection":"app.bsky.feed.post","#
                + #""rkey":"3kb","action":"create","cid":"bafy1","live":true,"record":{"text":"a \"b\" \u0000","n":9007199254740993},"#
                + #""host":"relay.example","time":"2026-07-01T12:00:00.000Z","logged_at":"2026-07-01T12:00:00.000001Z"}"#)
    }

    @Test("weir: members without a value are left out, a mark is shown")
    func weirDelete() {
        #expect(
            text(Self.delete, .weir)
                == #"{"run":"firehose/3","seq":43,"kind":"record","did":"did:plc:abc","rev":"r","collection":"c.d","rkey":"k","#
                + #""action":"delete","live":true,"mark":"chain","logged_at":"1970-01-01T00:00:00.000007Z"}"#)
    }

    @Test("weir: another kind's detail stands under its name")
    func weirDetail() {
        #expect(text(Self.terminal, .weir)?.contains(#""terminal":{"state":"finished"}"#) == true)
        #expect(text(Self.identity, .weir)?.contains(#""identity":{ "handle" : "al\"ice.example" }"#) == true)
    }

    @Test("jetstream: commit, identity and account")
    func jetstream() {
        #expect(
            text(Self.record, .jetstream)
                == #"{"did":"did:plc:abc","time_us":1782907200000001,"kind":"commit","commit":{"rev":"3kb3fge5lm32x","operation":"create","#
                + #""collection":"app.bsky.feed.post","rkey":"3kb","record":{"text":"a \"b\" \u0000","n":9007199254740993},"cid":"bafy1"}}"#)
        #expect(
            text(Self.identity, .jetstream)
                == #"{"did":"did:plc:abc","time_us":8,"kind":"identity","identity":{"did":"did:plc:abc","#
                + #""handle":"al\"ice.example","seq":44,"time":"t"}}"#)
        #expect(
            text(Self.account, .jetstream)
                == #"{"did":"did:plc:abc","time_us":9,"kind":"account","account":{"active":false,"did":"did:plc:abc","#
                + #""seq":45,"status":"takendown","time":"t"}}"#)
    }

    @Test("tap: record, and one identity shape for two kinds")
    func tap() {
        #expect(
            text(Self.delete, .tap)
                == #"{"id":43,"type":"record","record":{"live":true,"did":"did:plc:abc","rev":"r","collection":"c.d","rkey":"k","action":"delete"}}"#)
        #expect(
            text(Self.identity, .tap)
                == #"{"id":44,"type":"identity","identity":{"did":"did:plc:abc","handle":"al\"ice.example","is_active":true,"status":"active"}}"#)
        #expect(
            text(Self.account, .tap)
                == #"{"id":45,"type":"identity","identity":{"did":"did:plc:abc","handle":"","is_active":false,"status":"takendown"}}"#)
    }

    @Test("weir: a label's own text stands under its name")
    func label() {
        let label = LogEvent(
            run: .labels(3), seq: 1, kind: .label, did: "did:plc:abc", host: "h", time: "t", mark: "unsigned", loggedAt: WallTime(microseconds: 0),
            body: Array(#"{"src":"did:plc:l","val":"spam","neg":false}"#.utf8))
        #expect(
            text(label, .weir)
                == #"{"run":"labels/3","seq":1,"kind":"label","did":"did:plc:abc","live":true,"#
                + #""label":{"src":"did:plc:l","val":"spam","neg":false},"host":"h","time":"t","mark":"unsigned","#
                + #""logged_at":"1970-01-01T00:00:00.000000Z"}"#)
        for format in [EventFormat.jetstream, .tap] { #expect(format.render(label) == nil) }
    }

    @Test("a kind without a shape is left out, and appends nothing", arguments: [EventFormat.jetstream, .tap])
    func leftOut(format: EventFormat) {
        var bytes: [UInt8] = [1, 2]
        let sync = LogEvent(run: .firehose(0), seq: 1, kind: .sync, did: "did:plc:a")
        #expect(!format.append(sync, to: &bytes))
        #expect(!format.append(Self.terminal, to: &bytes))
        #expect(bytes == [1, 2])
        #expect(format.append(Self.record, to: &bytes))
        #expect(bytes.prefix(3).elementsEqual([1, 2, UInt8(ascii: "{")]))
    }

    @Test(
        "strings are escaped as RFC 8259 says",
        arguments: [
            ("plain", #""plain""#), ("\"\\/", #""\"\\/""#), ("\u{0}\u{1}\u{1F}", #""\u0000\u0001\u001f""#), ("\n\r\t", #""\n\r\t""#),
            ("héé🌊", #""héé🌊""#),
        ])
    func escapes(text: String, written: String) {
        var json = JSONWriter()
        json.value(text)
        #expect(String(decoding: json.take(), as: UTF8.self) == written)
    }

    @Test(
        "members are found at the top level only, whatever stands around them",
        arguments: [
            (#"{"a":1}"#, nil), (#"{"x":"v"}"#, #""v""#), (#" { "a" : [ {"x":"no"} , "}" ] , "x" : "v" } "#, #""v""#), (#"{"x":12}"#, "12"),
            (#"{"x":{"y":[1,2]},"z":0}"#, #"{"y":[1,2]}"#), (#"["x","v"]"#, nil), (#"{"x""#, nil), (#"{"x":"#, nil), ("", nil),
            (#"{"a\"":1,"x":true}"#, "true"),
            (#"{"x":"a\"#, nil),
        ] as [(String, String?)])
    func members(json: String, found: String?) {
        #expect(JSONMembers(Array(json.utf8)).rawValue(of: "x").map { String(decoding: $0, as: UTF8.self) } == found)
    }

    @Test(
        "times are RFC 3339 with microseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
        ] as [(Int64, String)])
    func timestamps(microseconds: Int64, text: String) {
        #expect(WallTime(microseconds: microseconds).rfc3339 == text)
    }
}
