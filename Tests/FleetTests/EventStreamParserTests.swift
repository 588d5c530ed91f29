import Testing

@testable import Fleet

@Suite struct EventStreamParserTests {
    private typealias Event = EventStreamParser.Event

    @Test("events come out the same, however the bytes are cut", arguments: 1...9)
    func pieces(size: Int) throws {
        let stream = Array(": hello\nretry: 1500\n\nid: 1\nevent: record\ndata: {\"a\":1}\n\r\nid: 2\rdata: x\rdata:y\r\rid: 3\n\ndata\n\n".utf8)
        var parser = EventStreamParser()
        var events: [Event] = []
        for start in stride(from: 0, to: stream.count, by: size) { events += try parser.parse(stream[start..<min(start + size, stream.count)]) }
        #expect(
            events == [
                Event(id: "1", name: "record", data: "{\"a\":1}"), Event(id: "2", name: "message", data: "x\ny"),
                Event(id: "3", name: "message", data: ""),
            ])
        #expect(parser.retry == .milliseconds(1500))
    }

    @Test("an id without data moves the place to go on from, and is no event")
    func heartbeat() throws {
        var parser = EventStreamParser()
        #expect(try parser.parse("id: 7\n\n: beat\n\n".utf8).isEmpty)
        #expect(parser.lastID == "7")
    }
}
