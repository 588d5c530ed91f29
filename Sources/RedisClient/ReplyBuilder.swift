import NIOCore

/// Collects the parts of one reply as the reader finds them, and makes a value of them when the reply is whole.
///
/// The bytes of all strings of a reply go into one storage, of which the bulk strings become slices: an allocation for each reply,
/// not for each string.
final class ReplyBuilder {
    private enum Node {
        case simple(Range<Int>)
        case bulk(Range<Int>)
        case error(Range<Int>)
        case integer(Int64)
        case array(count: Int)
        case null
    }

    private static let keptNodesMax = 1 << 16

    private var nodes: [Node] = []
    private var storage = ByteBuffer()
    private let allocator = ByteBufferAllocator()
    /// How many bytes the next string should make room for: what was received and not parsed.
    var pendingBytes = 0

    enum StringKind { case simple, bulk, error }

    func addString(_ bytes: UnsafeRawBufferPointer, _ kind: StringKind) {
        if storage.writerIndex == 0 && !bytes.isEmpty {
            // Only an array's strings share a storage: a reply of one string must not take room for all the replies behind it.
            storage = allocator.buffer(capacity: nodes.isEmpty ? bytes.count : max(pendingBytes, bytes.count))
        }
        let start = storage.writerIndex
        storage.writeBytes(bytes)
        let range = start..<storage.writerIndex
        switch kind {
        case .simple: nodes.append(.simple(range))
        case .bulk: nodes.append(.bulk(range))
        case .error: nodes.append(.error(range))
        }
    }

    func addInteger(_ value: Int64) { nodes.append(.integer(value)) }
    func addArray(count: Int) { nodes.append(.array(count: count)) }
    func addNull() { nodes.append(.null) }

    /// The value of the parts so far, which are a whole reply, and a new start.
    func take() -> RedisValue {
        var index = 0
        let value = value(at: &index)
        if nodes.capacity > Self.keptNodesMax { nodes = [] } else { nodes.removeAll(keepingCapacity: true) }
        storage = ByteBuffer()
        return value
    }

    /// As deep as the reader's own limit on nesting, 7.
    private func value(at index: inout Int) -> RedisValue {
        guard index < nodes.count else { return .null }
        let node = nodes[index]
        index += 1
        switch node {
        case .simple(let range): return .simple(text(range))
        case .bulk(let range): return .bulk(storage.getSlice(at: range.lowerBound, length: range.count) ?? ByteBuffer())
        case .error(let range): return .error(RedisServerError(message: text(range)))
        case .integer(let value): return .integer(value)
        case .null: return .null
        case .array(let count):
            var values: [RedisValue] = []
            values.reserveCapacity(min(count, nodes.count - index))
            for _ in 0..<count { values.append(value(at: &index)) }
            return .array(values)
        }
    }

    private func text(_ range: Range<Int>) -> String { storage.getString(at: range.lowerBound, length: range.count) ?? "" }
}
