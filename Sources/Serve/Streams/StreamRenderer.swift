import Events

/// Turns a client's next items into bytes and moves its positions. Without I/O.
struct StreamRenderer: Hashable, Sendable {
    let isMerged: Bool
    var wire = StreamWire.sse
    let selection: EventSelection
    var positions: [Int64]

    /// Appends the item where the client wants it and takes its position in any case; what the client has already is left out.
    ///
    /// That can be: while a step of reading was under way, the topic may have brought the same.
    ///
    /// - Returns: whether the stream ends with it (a terminal event of a stream of one run).
    mutating func append(_ item: StreamItem, of index: Int, to text: inout [UInt8]) -> Bool {
        let position = positions[index]
        guard item.through > position else { return false }
        positions[index] = item.through
        switch item {
        case .gap(var gap):
            gap.from = max(gap.from, position + 1)
            switch wire {
            case .sse: SSEWriter.append(gap, id: id, to: &text)
            case .webSocket: WebSocketWriter.append(id: id, event: "gap", data: gap.json, to: &text)
            }
        case .event(let event):
            guard selection.delivers(event) else { return false }
            // A terminal event has no shape of its own in the other formats; its end must be told all the same.
            let data = selection.format.render(event) ?? EventFormat.weir.render(event) ?? []
            switch wire {
            case .sse: SSEWriter.append(id: id, event: event.kind.rawValue, data: data, to: &text)
            case .webSocket: WebSocketWriter.append(id: id, event: event.kind.rawValue, data: data, to: &text)
            }
            return event.kind == .terminal && !isMerged
        }
        return false
    }

    /// The id of what was delivered last.
    var id: [UInt8] {
        guard isMerged else { return Array(String(positions[0]).utf8) }
        var text: [UInt8] = []
        MergedCursor(seqs: positions).append(to: &text)
        return text
    }
}
