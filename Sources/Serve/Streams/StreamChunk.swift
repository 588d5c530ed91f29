import Events
import NIOCore

/// What one write carries: rendered events, for SSE framed as one chunk of HTTP/1.1, and where a client stands after it.
struct StreamChunk {
    var bytes: ByteBuffer?
    var renderer: StreamRenderer
    var events = 0
    var gaps = 0
    /// A terminal event is the last of it.
    var ends = false
    /// Indices of runs that the client must read on by itself.
    var behind: [Int] = []
    /// There may be more.
    var moved = false

    /// Bytes of a chunk above which no further event is put into it.
    static let bytesMax = 64 << 10
    private static let itemsMax = 256

    /// The next chunk for clients that stand where `renderer` does, of what the topics have.
    init(_ renderer: StreamRenderer, topics: [OutletTopic]) {
        self.renderer = renderer
        var text: [UInt8] = []
        fill: for (index, topic) in topics.enumerated() {
            switch topic.slice(after: renderer.positions[index], limit: Self.itemsMax) {
            case .behind: behind.append(index)
            case .upToDate: break
            case .items(let items):
                for item in items {
                    take(item, index, &text)
                    if ends || text.count >= Self.bytesMax { break fill }
                }
            }
        }
        bytes = Self.frame(text, renderer.wire)
    }

    /// All of the items, which one step of reading bounded.
    init(_ renderer: StreamRenderer, items: [StreamItem], of index: Int) {
        self.renderer = renderer
        var text: [UInt8] = []
        for item in items where !ends { take(item, index, &text) }
        bytes = Self.frame(text, renderer.wire)
    }

    private mutating func take(_ item: StreamItem, _ index: Int, _ text: inout [UInt8]) {
        let before = text.count
        ends = renderer.append(item, of: index, to: &text)
        moved = true
        guard text.count > before else { return }
        if case .gap = item { gaps += 1 } else { events += 1 }
    }

    /// SSE: RFC 9112 §7.1; nil for no bytes, since an empty chunk would end the body. A WebSocket's frames are framed already.
    static func frame(_ text: [UInt8], _ wire: StreamWire) -> ByteBuffer? {
        guard !text.isEmpty else { return nil }
        if wire == .webSocket { return ByteBuffer(bytes: text) }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(text.count + 12)
        buffer.writeString(String(text.count, radix: 16))
        buffer.writeString("\r\n")
        buffer.writeBytes(text)
        buffer.writeString("\r\n")
        return buffer
    }

    static let lastFrame = ByteBuffer(string: "0\r\n\r\n")
}
