/// Reads server-sent events from bytes as they come, in pieces of any size.
///
/// Source: HTML Living Standard, "Server-sent events", parsing an event stream. A line longer than ``lineBytesMax`` ends the reading: nothing of
/// ours is that long.
public struct EventStreamParser: Sendable {
    public struct Event: Hashable, Sendable {
        /// The last id that the stream named, up to this event.
        public var id: String
        /// `message` where the stream names none.
        public var name: String
        public var data: String
    }

    public struct LineTooLong: Error, Hashable, Sendable {}

    public static let lineBytesMax = 32 << 20

    /// The wait before a reconnect that the server asked for last.
    public private(set) var retry: Duration?
    /// The last id, also of a comment-like event without data: where to go on after a reconnect.
    public private(set) var lastID = ""
    private var line: [UInt8] = []
    private var data: [UInt8]?
    private var name = ""
    private var skipsLineFeed = false

    public init() {}

    /// The events that end in these bytes.
    public mutating func parse(_ bytes: some Sequence<UInt8>) throws(LineTooLong) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            if skipsLineFeed {
                skipsLineFeed = false
                if byte == UInt8(ascii: "\n") { continue }
            }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                skipsLineFeed = byte == UInt8(ascii: "\r")
                if let event = endLine() { events.append(event) }
            default:
                guard line.count < Self.lineBytesMax, data?.count ?? 0 < Self.lineBytesMax else { throw LineTooLong() }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() -> Event? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        let field = String(decoding: line[..<colon], as: UTF8.self)
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        switch field {
        case "data": data = data.map { $0 + [UInt8(ascii: "\n")] + value } ?? Array(value)
        case "event": name = String(decoding: value, as: UTF8.self)
        case "id": if !value.contains(0) { lastID = String(decoding: value, as: UTF8.self) }
        case "retry":
            if let milliseconds = Int(String(decoding: value, as: UTF8.self)), milliseconds >= 0 { retry = .milliseconds(milliseconds) }
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> Event? {
        defer {
            data = nil
            name = ""
        }
        guard let data else { return nil }
        return Event(id: lastID, name: name.isEmpty ? "message" : name, data: String(decoding: data, as: UTF8.self))
    }
}
