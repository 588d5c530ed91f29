import Fleet
import Testing

@testable import weir

@Suite("Events as lines of a terminal") struct EventLineTests {
    private func line(_ data: String, plain: Bool = false) throws -> String {
        var parser = EventStreamParser()
        let events = try parser.parse(Array("id: 7\nevent: event\ndata: \(data)\n\n".utf8))
        return EventLine(isPlain: plain).text(try #require(events.first))
    }

    @Test("an application's event is its type, its key with the key's sequence, and the beginning of its payload")
    func application() throws {
        let data = #"{"run":"orders/7","seq":7,"kind":"event","type":"order.paid","key":"o1","key_seq":3,"payload":{"b":"x\u001b[2J","a":1}}"#
        #expect(
            try line(data)
                == "orders/7 7        order.paid               o1@3             " + #"{"a":1,"b":"x\u001b[2J"}"#)
        #expect(try line(data, plain: true) == data)
        let plain = try line(#"{"run":"orders/7","seq":8,"kind":"event","type":"note","payload":"a\u0007b"}"#)
        #expect(plain.hasPrefix("orders/7 8        note ") && !plain.contains("\u{7}"), "\(plain)")
    }

    @Test("a payload of any length takes one line")
    func long() throws {
        let data = #"{"run":"r","seq":1,"kind":"event","type":"t","payload":""# + String(repeating: "x", count: 10_000) + "\"}"
        #expect(try line(data).count < 200)
    }
}
