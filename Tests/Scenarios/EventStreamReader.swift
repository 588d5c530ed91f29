/// Takes the bytes of an HTTP answer apart into the events of its stream: head, chunks, lines. Bounded by the events themselves.
struct EventStreamReader {
    struct Event {
        var id = ""
        var name = ""
        var data = ""
    }

    /// An answer of status 200 has begun.
    private(set) var isOpen = false
    private var isChunked = false
    private var raw: [UInt8] = []
    /// Bytes of the current chunk that are still to come.
    private var chunkLeft = 0
    private var text: [UInt8] = []
    private var event = Event()

    /// The events that these bytes complete; nil where the answer is none to follow, or has ended.
    mutating func take(_ bytes: ArraySlice<UInt8>) -> [Event]? {
        raw += bytes
        if !isOpen {
            guard let end = Self.endOfHead(raw) else { return [] }
            let head = String(decoding: raw[..<end], as: UTF8.self)
            guard head.hasPrefix("HTTP/1.1 200") else { return nil }
            isChunked = head.lowercased().contains("transfer-encoding: chunked")
            raw.removeSubrange(..<end)
            isOpen = true
        }
        guard isChunked else {
            text += raw
            raw = []
            return lines()
        }
        var place = 0
        var hasEnded = false
        while place < raw.count, !hasEnded {
            if chunkLeft > 0 {
                let size = min(chunkLeft, raw.count - place)
                text += raw[place..<place + size]
                place += size
                chunkLeft -= size
                continue
            }
            guard let newline = raw[place...].firstIndex(of: UInt8(ascii: "\n")) else { break }
            let line = String(decoding: raw[place..<newline].filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
            place = newline + 1
            // The line end behind a chunk is an empty line here.
            if line.isEmpty { continue }
            chunkLeft = Int(line.prefix { $0 != ";" }, radix: 16) ?? 0
            hasEnded = chunkLeft == 0
        }
        raw.removeSubrange(..<place)
        let events = lines()
        return hasEnded && events.isEmpty ? nil : events
    }

    private mutating func lines() -> [Event] {
        var events: [Event] = []
        var place = 0
        while let newline = text[place...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = text[place..<newline]
            place = newline + 1
            if line.isEmpty {
                events.append(event)
                event = Event()
                continue
            }
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
            var value = line[min(colon + 1, line.endIndex)...]
            if value.first == UInt8(ascii: " ") { value.removeFirst() }
            let content = String(decoding: value, as: UTF8.self)
            switch String(decoding: line[..<colon], as: UTF8.self) {
            case "id": event.id = content
            case "event": event.name = content
            case "data": event.data += event.data.isEmpty ? content : "\n" + content
            default: break
            }
        }
        text.removeSubrange(..<place)
        return events
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let end = Array("\r\n\r\n".utf8)
        guard bytes.count >= end.count else { return nil }
        for place in 0...(bytes.count - end.count) where bytes[place..<place + end.count].elementsEqual(end) { return place + end.count }
        return nil
    }
}
