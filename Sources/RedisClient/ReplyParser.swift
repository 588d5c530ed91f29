import CHiredis
import NIOCore

/// Bytes in, replies out: hiredis' reader, with functions of our own that build Swift values instead of `redisReply` trees.
///
/// Not thread-safe: it lives on its connection's event loop.
final class ReplyParser {
    /// The reader copies what it is fed behind what it still has, and moves the rest to the front after each 1024 parsed bytes: small
    /// pieces keep that cheap.
    private static let pieceBytes = 16 << 10
    /// An empty buffer above this is given back. hiredis' own limit of 16 KiB would free and regrow it with each larger reply.
    private static let keptBufferBytesMax = 4 << 20

    private let reader: UnsafeMutablePointer<redisReader>?
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let builder = ReplyBuilder()
    private let replyBytesMax: Int
    /// Bytes fed since the last whole reply.
    private var bytesOfReply = 0

    struct Failure: Error {
        let message: String
    }

    init(replyBytesMax: Int) {
        self.replyBytesMax = replyBytesMax
        functions = .allocate(capacity: 1)
        functions.initialize(to: replyFunctions)
        reader = redisReaderCreateWithFunctions(functions)
        reader?.pointee.maxbuf = Self.keptBufferBytesMax
        // The reader's callbacks get this pointer back; reader and builder end together, in deinit.
        reader?.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
    }

    deinit {
        if let reader { redisReaderFree(reader) }
        functions.deinitialize(count: 1)
        functions.deallocate()
    }

    /// Takes bytes and calls `receive` for each reply that they complete, until it returns false.
    ///
    /// After a failure nothing more can be read: where a reply begins is lost.
    func feed(_ bytes: ByteBuffer, _ receive: (RedisValue) -> Bool) throws(Failure) {
        guard let reader else { throw Failure(message: "no memory for the reader") }
        var bytes = bytes
        while let piece = bytes.readSlice(length: min(bytes.readableBytes, Self.pieceBytes)), piece.readableBytes > 0 {
            let status = piece.withUnsafeReadableBytes { redisReaderFeed(reader, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
            guard status == REDIS_OK else { throw failure(reader) }
            bytesOfReply += piece.readableBytes
            while true {
                builder.pendingBytes = reader.pointee.len - reader.pointee.pos
                var root: UnsafeMutableRawPointer?
                guard redisReaderGetReply(reader, &root) == REDIS_OK else { throw failure(reader) }
                guard root != nil else { break }
                bytesOfReply = reader.pointee.len - reader.pointee.pos
                guard receive(builder.take()) else { return }
            }
            guard bytesOfReply <= replyBytesMax else { throw Failure(message: "a reply of more than \(replyBytesMax) bytes") }
        }
    }

    private func failure(_ reader: UnsafeMutablePointer<redisReader>) -> Failure {
        let text = withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return Failure(message: text)
    }
}

/// The builder of the reader that this task belongs to.
private func builder(of task: UnsafePointer<redisReadTask>?) -> ReplyBuilder? {
    guard let pointer = task?.pointee.privdata else { return nil }
    return Unmanaged<ReplyBuilder>.fromOpaque(pointer).takeUnretainedValue()
}

/// Each returns the builder's pointer, which the reader only compares with NULL (out of memory); there is nothing to free.
private let replyFunctions = redisReplyObjectFunctions(
    createString: { task, bytes, count in
        guard let task, let builder = builder(of: task) else { return nil }
        let kind: ReplyBuilder.StringKind =
            switch task.pointee.type {
            case REDIS_REPLY_STATUS: .simple
            case REDIS_REPLY_ERROR: .error
            default: .bulk
            }
        builder.addString(UnsafeRawBufferPointer(start: bytes, count: count), kind)
        return task.pointee.privdata
    },
    createArray: { task, count in
        builder(of: task)?.addArray(count: Int(count))
        return task?.pointee.privdata
    },
    createInteger: { task, value in
        builder(of: task)?.addInteger(Int64(value))
        return task?.pointee.privdata
    },
    createNil: { task in
        builder(of: task)?.addNull()
        return task?.pointee.privdata
    },
    freeObject: nil
)
