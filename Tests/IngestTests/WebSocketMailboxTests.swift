import NIOCore
import Testing

@testable import Ingest

@Suite struct WebSocketMailboxTests {
    private func message(_ size: Int) -> WebSocketMessage { .binary(ByteBuffer(repeating: 1, count: size)) }

    @Test("whoever takes from a full queue is told when it has room again, and only then") func madeRoom() throws {
        let mailbox = WebSocketMailbox(messagesMax: 3, bytesMax: 100, place: "test")
        mailbox.put(message(10))
        #expect(try mailbox.take(messagesMax: 10, bytesMax: 100).madeRoom == false)
        for _ in 0..<3 { mailbox.put(message(10)) }
        #expect(mailbox.hasRoom == false)
        #expect(try mailbox.take(messagesMax: 1, bytesMax: 100).madeRoom)
        for _ in 0..<2 { mailbox.put(message(90)) }
        #expect(try mailbox.take(messagesMax: 1, bytesMax: 100).madeRoom == false)
        #expect(try mailbox.take(messagesMax: 1, bytesMax: 100).madeRoom == false)
        #expect(try mailbox.take(messagesMax: 9, bytesMax: 1).messages.count == 1)
    }

    @Test("what is put at once counts as one by one, and the room left is what the limits leave") func several() throws {
        let mailbox = WebSocketMailbox(messagesMax: 3, bytesMax: 100, place: "test")
        mailbox.put([message(10), message(20)])
        #expect(mailbox.room == (messages: 1, bytes: 70))
        #expect(mailbox.hasRoom)
        mailbox.put([message(30)])
        #expect(mailbox.room.messages == 0)
        #expect(mailbox.hasRoom == false)
        #expect(try mailbox.take(messagesMax: 9, bytesMax: 100).messages == [message(10), message(20), message(30)])
    }

    @Test("what was queued before the end is handed over first, and nothing after it") func end() throws {
        let mailbox = WebSocketMailbox(messagesMax: 3, bytesMax: 100, place: "test")
        mailbox.put(message(1))
        mailbox.finish(WebSocketError(.idle, "first", place: "test"))
        mailbox.finish(WebSocketError(.connectionLost, "second", place: "test"))
        mailbox.put(message(2))
        #expect(try mailbox.take(messagesMax: 9, bytesMax: 100).messages == [message(1)])
        #expect(throws: WebSocketError(.idle, "first", place: "test")) { try mailbox.take(messagesMax: 9, bytesMax: 100) }
    }
}
