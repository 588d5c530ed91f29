import Events

/// Writes the lines of an event stream (WHATWG HTML §9.2).
enum SSEWriter {
    /// `id`, `event`, `data` and the empty line that ends the event.
    static func append(id: some Collection<UInt8>, event: String, data: [UInt8], to text: inout [UInt8]) {
        text.append(contentsOf: "id: ".utf8)
        text.append(contentsOf: id)
        text.append(contentsOf: "\nevent: ".utf8)
        text.append(contentsOf: event.utf8)
        text.append(UInt8(ascii: "\n"))
        appendData(data, to: &text)
        text.append(UInt8(ascii: "\n"))
    }

    /// A comment that also moves the client's last id: an event without data is not dispatched, but its id is kept.
    static func appendHeartbeat(id: some Collection<UInt8>, to text: inout [UInt8]) {
        text.append(contentsOf: ": heartbeat\nid: ".utf8)
        text.append(contentsOf: id)
        text.append(contentsOf: "\n\n".utf8)
    }

    static func appendRetry(milliseconds: Int, comment: String, to text: inout [UInt8]) {
        text.append(contentsOf: ": \(comment)\nretry: \(milliseconds)\n\n".utf8)
    }

    /// Why the server closes, as an event without an id. That a run has ended its terminal event has said; when to come back the stream's `retry` says.
    static func append(_ end: StreamEnd, to text: inout [UInt8]) {
        switch end.code {
        case 1000: return
        case 1012: return appendRetry(milliseconds: end.retryMs, comment: "shutting down", to: &text)
        default: break
        }
        var json = JSONWriter()
        json.beginObject()
        json.member("reason", end.reason)
        json.member("detail", end.detail)
        json.endObject()
        text.append(contentsOf: "event: closing\n".utf8)
        appendData(json.take(), to: &text)
        text.append(UInt8(ascii: "\n"))
    }

    /// A gap under `event: gap`; its id is the last seq that is gone, so that a reconnect does not hear of it again.
    static func append(_ gap: StreamGap, id: some Collection<UInt8>, to text: inout [UInt8]) {
        append(id: id, event: "gap", data: gap.json, to: &text)
    }

    /// One `data` line a line of the text: JSON of an application's own may have line breaks between its tokens.
    private static func appendData(_ data: [UInt8], to text: inout [UInt8]) {
        guard data.contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
            text.append(contentsOf: "data: ".utf8)
            text.append(contentsOf: data)
            text.append(UInt8(ascii: "\n"))
            return
        }
        for line in data.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            text.append(contentsOf: "data: ".utf8)
            text.append(contentsOf: line)
            text.append(UInt8(ascii: "\n"))
        }
    }
}
