import Events
import Testing

@Suite struct EventFilterTests {
    private func record(_ collection: String, did: String = "did:plc:a", action: LogEvent.Action = .create) -> LogEvent {
        LogEvent(run: .firehose(0), seq: 1, kind: .record, did: did, collection: collection, action: action)
    }

    private func event(_ kind: LogEvent.Kind, did: String = "did:plc:a") -> LogEvent {
        LogEvent(run: .firehose(0), seq: 1, kind: kind, did: did)
    }

    @Test(
        "a wildcard stands for whole segments after a dot",
        arguments: [
            ("app.bsky.feed.post", "app.bsky.feed.post", true), ("app.bsky.feed.post", "app.bsky.feed.posts", false),
            ("app.bsky.feed.*", "app.bsky.feed.post", true), ("app.bsky.feed.*", "app.bsky.feedback.post", false),
            ("app.bsky.feed.*", "app.bsky.feed", false), ("app.bsky.feed.*", "app.bsky.feed.", false), ("app.*", "app.bsky.feed.like", true),
            ("*", "any.thing.here", true),
        ])
    func wildcards(pattern: String, collection: String, matches: Bool) throws {
        let filter = try EventFilter(collections: [pattern])
        #expect(filter.matches(record(collection)) == matches)
    }

    @Test(
        "a pattern of another form is refused, with what is allowed",
        arguments: ["", "app.*.post", "app.bsky.fe*", ".app", "app..post", "app.", "**", "a b.c", "app.*.*"])
    func badPatterns(pattern: String) {
        #expect {
            try EventFilter(collections: [pattern])
        } throws: { error in
            (error as? EventFilterError)?.field == .collections && (error as? EventFilterError)?.given == pattern
        }
    }

    @Test("identity, account and sync events pass a collection filter and an action filter, but not a DID filter")
    func passing() throws {
        let byCollection = try EventFilter(collections: ["app.bsky.feed.post"], actions: ["delete"])
        let byDID = try EventFilter(dids: ["did:plc:b"])
        for kind in [LogEvent.Kind.identity, .account, .sync] {
            #expect(byCollection.matches(event(kind)))
            #expect(!byDID.matches(event(kind)))
            #expect(byDID.matches(event(kind, did: "did:plc:b")))
        }
        #expect(!byCollection.matches(record("app.bsky.feed.post")))
        #expect(byCollection.matches(record("app.bsky.feed.post", action: .delete)))
    }

    @Test("a terminal event passes every filter")
    func terminal() throws {
        let filter = try EventFilter(collections: ["a.b.c"], dids: ["did:plc:x"], kinds: ["record"], actions: ["create"])
        #expect(filter.matches(event(.terminal, did: "")))
    }

    @Test("lists above their bound are refused")
    func bounds() throws {
        let dids = (0...EventFilter.didsMax).map { "did:plc:\($0)" }
        #expect { try EventFilter(dids: dids) } throws: { ($0 as? EventFilterError)?.code == .tooMany }
        #expect(try EventFilter(dids: Array(dids.dropLast())).dids.count == EventFilter.didsMax)
    }

    @Test("an excerpt is bounded in scalars, not in characters, of which one may be of any length")
    func excerpts() {
        #expect("abc".excerpt(scalars: 2) == "ab")
        #expect(("e" + String(repeating: "\u{301}", count: 1_000)).excerpt(scalars: 64).unicodeScalars.count == 64)
        #expect("".excerpt(scalars: 5).isEmpty)
    }

    @Test("values that are not of their list are refused", arguments: ["did", "did:", "did:plc", "did:plc:", "plc:did:a", "did:plc:a b"])
    func badDIDs(did: String) {
        #expect { try EventFilter(dids: [did]) } throws: { ($0 as? EventFilterError)?.field == .dids }
        #expect { try EventFilter(kinds: ["commit"]) } throws: { ($0 as? EventFilterError)?.allowed.contains("record, identity") == true }
    }
}
