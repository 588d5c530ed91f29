import Events

/// The body of an append: an event, an array of events, or an event a line. Parsed without a tree: a payload is checked, and copied as text.
struct AppendBody: Hashable, Sendable {
    let events: [ApplicationEvent]

    static let allowed =
        #"{"type": "…", "key": "…", "key_seq": 1, "dedup_key": "…", "payload": …}, an array of such, or with application/x-ndjson one a line"#
    private static let names = ["type", "key", "key_seq", "dedup_key", "payload"]

    /// Throws what is wrong, where, and what is allowed. The place of an event is its number, from 0: `/3/key`.
    init(_ bytes: [UInt8], isLines: Bool) throws(Problem) {
        guard !bytes.isEmpty else { throw Problem(.badBody, "a body is needed", allowed: Self.allowed) }
        var scanner = try BodyScanner(bytes, allowed: Self.allowed)
        var events: [ApplicationEvent] = []
        if isLines {
            while !scanner.isAtEnd() { try Self.append(to: &events, from: &scanner) }
        } else if scanner.kind() == .array {
            while try scanner.read({ (json) throws(JSONScanError) in try json.item(isFirst: events.isEmpty) }) {
                try Self.append(to: &events, from: &scanner)
            }
        } else {
            events.append(try Self.event(at: "", &scanner))
        }
        try scanner.end()
        guard !events.isEmpty else { throw Problem(.badBody, "there is no event in the body", pointer: "", allowed: Self.allowed) }
        self.events = events
    }

    private static func append(to events: inout [ApplicationEvent], from scanner: inout BodyScanner) throws(Problem) {
        guard events.count < ApplicationEvent.appendMax else {
            throw Problem(.tooMany, "the body has too many events", allowed: "1 to \(ApplicationEvent.appendMax)")
        }
        events.append(try event(at: "/\(events.count)", &scanner))
    }

    private static func event(at pointer: String, _ scanner: inout BodyScanner) throws(Problem) -> ApplicationEvent {
        var event = ApplicationEvent(type: "", payload: [])
        try scanner.object(at: pointer, names: names) { (scanner, name) throws(Problem) in
            let place = "\(pointer)/\(name)"
            switch name {
            case "type": event.type = try type(at: place, &scanner)
            case "key": event.key = try key(at: place, bytesMax: ApplicationEvent.keyBytesMax, &scanner)
            case "dedup_key": event.dedupKey = try key(at: place, bytesMax: ApplicationEvent.dedupKeyBytesMax, &scanner)
            case "key_seq": event.keySequence = try sequence(at: place, &scanner)
            default: event.payload = try payload(at: place, &scanner)
            }
        }
        guard !event.type.isEmpty else { throw Problem(.badBody, "the event lacks a type", pointer: pointer, allowed: typeAllowed) }
        if event.keySequence != nil, event.key.isEmpty {
            throw Problem(.badBody, "a key sequence needs a key", pointer: "\(pointer)/key_seq", allowed: "key_seq beside key")
        }
        return event
    }

    private static let typeAllowed = "1 to \(ApplicationEvent.typeBytesMax) bytes of A-Z a-z 0-9 _ : / - in segments with dots between them"

    private static func type(at pointer: String, _ scanner: inout BodyScanner) throws(Problem) -> String {
        let text = try scanner.string(at: pointer, allowed: typeAllowed)
        guard let text, ApplicationEvent.isType(text) else {
            throw Problem(.badBody, "no event can have this type", pointer: pointer, given: text, allowed: typeAllowed)
        }
        return text
    }

    private static func key(at pointer: String, bytesMax: Int, _ scanner: inout BodyScanner) throws(Problem) -> String {
        let allowed = "1 to \(bytesMax) bytes without U+0000, or no such member"
        guard let text = try scanner.string(at: pointer, allowed: allowed) else { return "" }
        guard ApplicationEvent.isKey(text, bytesMax: bytesMax) else {
            throw Problem(.badBody, "no event can have this key", pointer: pointer, given: text, allowed: allowed)
        }
        return text
    }

    private static func sequence(at pointer: String, _ scanner: inout BodyScanner) throws(Problem) -> Int64? {
        let allowed = "a whole number, 0 to \(Int64.max)"
        let number = try scanner.integer(at: pointer, allowed: allowed)
        if let number, number < 0 {
            throw Problem(.badBody, "a key sequence is not below 0", pointer: pointer, given: "\(number)", allowed: allowed)
        }
        return number
    }

    private static func payload(at pointer: String, _ scanner: inout BodyScanner) throws(Problem) -> [UInt8] {
        let payload = try scanner.value()
        guard payload.count <= ApplicationEvent.payloadBytesMax else {
            throw Problem(
                .eventTooLarge, "the payload is too large", pointer: pointer, given: "\(payload.count) bytes",
                allowed: "at most \(ApplicationEvent.payloadBytesMax) bytes")
        }
        return payload
    }
}
