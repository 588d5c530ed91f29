import TestSupport
import Testing

@testable import PostgresClient

@Suite(.timeLimit(.minutes(10))) struct NotificationTests {
    @Test func `a listener is woken by another session's NOTIFY`() async throws {
        let listener = try await TestServer.connect()
        let sender = try await TestServer.connect()
        let channel = "Channel \"" + RandomName.schema()
        let quoted = "\"" + channel.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        let notifications = try await listener.notifications(on: [channel])
        let task = Task { () throws -> [PostgresNotifications.Element] in
            var seen: [PostgresNotifications.Element] = []
            for try await element in notifications {
                seen.append(element)
                if seen.count == 2 { break }
            }
            return seen
        }
        try await sender.execute("NOTIFY \(quoted), 'one'")
        try await sender.execute("NOTIFY \(quoted), 'two'")
        let payloads = try await task.value.map { element -> String in
            guard case .notification(let notification) = element else { return "overflow" }
            #expect(notification.channel == channel)
            return notification.payload
        }
        #expect(payloads == ["one", "two"])
    }

    @Test func `a listener whose session is ended by the server throws`() async throws {
        let listener = try await TestServer.connect()
        let notifications = try await listener.notifications(on: [RandomName.schema()])
        let task = Task { for try await _ in notifications {} }
        let killer = try await TestServer.connect()
        _ = try await killer.query("SELECT pg_terminate_backend($1)", [.int32(await listener.backendID)])
        let error = await failure { try await task.value }
        #expect(error != nil)
        #expect(!listener.isUsable)
    }

    @Test func `cancelling the listening task ends its loop and spares the connection`() async throws {
        let listener = try await TestServer.connect()
        let notifications = try await listener.notifications(on: [RandomName.schema()])
        let task = Task { for try await _ in notifications {} }
        task.cancel()
        try await task.value
        #expect(try await listener.query("SELECT 1::int8")[0].value(0, as: Int64.self) == 1)
    }

    @Test func `equal notifications stand once, and too many different ones become one overflow`() {
        var mailbox = NotificationMailbox()
        for _ in 0..<5 { mailbox.receive(PostgresNotification(channel: "a", payload: "same", backendID: 1)) }
        for number in 0..<(NotificationMailbox.capacity - 1) {
            mailbox.receive(PostgresNotification(channel: "a", payload: "\(number)", backendID: 1))
        }
        #expect(mailbox.next() == .notification(PostgresNotification(channel: "a", payload: "same", backendID: 1)))
        mailbox.receive(PostgresNotification(channel: "b", payload: "", backendID: 1))
        mailbox.receive(PostgresNotification(channel: "c", payload: "", backendID: 1))
        #expect(mailbox.next() == .overflow(dropped: NotificationMailbox.capacity + 1))
        #expect(mailbox.next() == nil)
        #expect(!mailbox.hasElements)
    }
}
