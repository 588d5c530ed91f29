import NIOCore
import Synchronization

/// What a connection was read into and is still held, and the buffers that its socket is read into again.
///
/// Messages leave a connection as slices of what was read, and are held until Redis has them. Fresh buffers for each read would be mapped and given
/// back all the time. Bounded: reads of at most ``bytesMax`` are kept; while so much is held, messages must be copied (``keep(_:)``), since a slice
/// holds all that came with it. Does not own sockets. One event loop uses it.
final class ReadBuffers: RecvByteBufferAllocator, Sendable {
    /// Of one buffer, and so the most that one read of the socket brings.
    static let bufferBytes = 256 << 10

    private let bytesMax: Int
    private let reads = Mutex<[ByteBuffer]>([])

    init(bytesMax: Int) { self.bytesMax = max(bytesMax, Self.bufferBytes) }

    var keptBytes: Int { reads.withLock { Self.bytes($0) } }

    /// An empty buffer: one of which nobody holds a part any more, else a new one.
    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        let free = reads.withLock { reads -> ByteBuffer? in
            for place in reads.indices where reads[place].storageCapacity == Self.bufferBytes && Self.isFree(&reads[place]) {
                return reads.remove(at: place)
            }
            return nil
        }
        return free ?? allocator.buffer(capacity: Self.bufferBytes)
    }

    /// Always true: NIO must ask for each read, and reuse nothing by itself.
    func record(actualReadBytes: Int) -> Bool { true }

    /// Notes what was read. False where too much is held: no part of it may then be held without being copied.
    func keep(_ read: ByteBuffer) -> Bool {
        reads.withLock { reads in
            if Self.bytes(reads) + read.storageCapacity > bytesMax {
                // TLS brings buffers of its own, which serve no further read.
                var index = 0
                while index < reads.count {
                    if Self.isFree(&reads[index]) { reads.remove(at: index) } else { index += 1 }
                }
            }
            guard Self.bytes(reads) + read.storageCapacity <= bytesMax else { return false }
            reads.append(read)
            return true
        }
    }

    private static func isFree(_ buffer: inout ByteBuffer) -> Bool { buffer.modifyIfUniquelyOwned { $0.clear() } != nil }

    private static func bytes(_ reads: [ByteBuffer]) -> Int { reads.reduce(0) { $0 + $1.storageCapacity } }
}
