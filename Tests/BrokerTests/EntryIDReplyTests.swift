import Events
import NIOCore
import Testing

@testable import Broker

@Suite struct EntryIDReplyTests {
    @Test(
        "the id of a reply is read whole or not at all",
        arguments: [
            ("1-2", EntryID(milliseconds: 1, sequence: 2)), ("1732358400000-0", EntryID(milliseconds: 1_732_358_400_000, sequence: 0)),
            ("18446744073709551615-18446744073709551615", EntryID(milliseconds: .max, sequence: .max)), ("18446744073709551616-0", nil), ("", nil),
            ("-", nil), ("1", nil), ("1-", nil), ("-1", nil), ("1-2-3", nil), ("1-2 ", nil), ("1-x", nil), ("+1-2", nil), ("OK", nil),
        ] as [(String, EntryID?)])
    func ids(_ text: String, _ id: EntryID?) {
        #expect(EntryID(reply: ByteBuffer(string: text)) == id)
    }
}
