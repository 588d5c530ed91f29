/// An event on its way to the relays: one object for all of them and all their windows.
final class SentMessage: Sendable {
    let event: NetworkEvent
    /// As ``Timestamp`` makes it; the same at every relay, since identity and account events are told apart by it.
    let time: [UInt8]

    init(event: NetworkEvent, time: [UInt8]) {
        self.event = event
        self.time = time
    }

    var isCommit: Bool {
        if case .commit = event.kind { return true }
        return false
    }

    var forged: FaultKind? {
        if case .forged(let kind, _) = event.kind { return kind }
        return nil
    }
}
