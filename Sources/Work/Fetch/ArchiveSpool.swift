public import ATProto
public import NIOCore
public import NIOPosix
internal import Synchronization

/// Takes an archive while it arrives and keeps it where a walk can reach it: small ones in memory, others in a file without a name.
///
/// Every block's digest is compared as it comes; a block that is wrong, a length that is too large, and more bytes than are allowed end it at once. All
/// work, hashing and writing alike, is done on a pool of threads, some hundred kilobytes at a time: a write waits for the disk where the kernel says so,
/// and a thread that serves live traffic must not. Memory: what has come since the last such step, one section, two extents of the file or
/// `memoryBytes`, and 16 bytes a block (``ArchiveIndex/Builder``).
///
/// The file takes as many bytes as the archive, ends with the archive and all walks over it, and with the process. One task uses a spool, one call after
/// the other.
public final class ArchiveSpool: Sendable {
    /// Bounds and place.
    public struct Configuration: Sendable {
        /// For the file. It should be on a disk: what lies in memory (tmpfs) counts as the process's own.
        public var folder: String
        /// Of the archive, as it comes.
        public var bytesMax: Int
        /// Repeated ones counted.
        public var blocksMax = Limits.repositoryBlocks
        /// Up to so many bytes of blocks there is no file.
        public var memoryBytes = 1 << 20
        /// Of the file, which stay in this process's memory while it is read.
        public var residentBytes = 64 << 20

        public init(folder: String, bytesMax: Int) {
            self.folder = folder
            self.bytesMax = bytesMax
        }
    }

    private let pool: NIOThreadPool
    private let bytesMax: Int
    private let state: Mutex<State>

    private enum State {
        case filling(SpoolFilling, chunks: [ByteBuffer], bytes: Int)
        case ended(SpoolError)

        var error: SpoolError {
            if case .ended(let error) = self { error } else { .ended }
        }
    }

    /// Bytes that are worth a step on the pool.
    private static let stepBytes = 128 << 10

    public init(_ configuration: Configuration, pool: NIOThreadPool = .singleton) {
        self.pool = pool
        bytesMax = configuration.bytesMax
        state = Mutex(.filling(SpoolFilling(configuration), chunks: [], bytes: 0))
    }

    /// Takes the next bytes. What it throws may belong to those before them.
    public func push(_ chunk: ByteBuffer) async throws(SpoolError) {
        let isEnough = try state.withLock { state throws(SpoolError) in
            guard case .filling(let filling, var chunks, var bytes) = state else { throw state.error }
            bytes += chunk.readableBytes
            guard filling.count + bytes <= bytesMax else {
                state = .ended(.tooLarge(bytesMax: bytesMax))
                throw state.error
            }
            chunks.append(chunk)
            state = .filling(filling, chunks: chunks, bytes: bytes)
            return bytes >= Self.stepBytes
        }
        if isEnough { try await step { filling throws(SpoolError) in } }
    }

    /// The same with an array.
    public func push(_ bytes: [UInt8]) async throws(SpoolError) { try await push(ByteBuffer(bytes: bytes)) }

    /// Says that this was all, and gives the repository with its commit read. Throws for an archive that is not whole, or has no commit.
    public func finish() async throws(SpoolError) -> RepositoryArchive {
        let archive = try await step { filling throws(SpoolError) in try filling.finish() }
        state.withLock { $0 = .ended(.ended) }
        return archive
    }

    private func step<R: Sendable>(_ body: @escaping @Sendable (inout SpoolFilling) throws(SpoolError) -> R) async throws(SpoolError) -> R {
        do {
            return try await pool.runIfActive { [self] in
                try state.withLock { state in
                    guard case .filling(var filling, let chunks, _) = state else { throw state.error }
                    // Nobody else holds it while it grows.
                    state = .ended(.ended)
                    do throws(SpoolError) {
                        for chunk in chunks { try filling.take(chunk) }
                        let result = try body(&filling)
                        state = .filling(filling, chunks: [], bytes: 0)
                        return result
                    } catch {
                        state = .ended(error)
                        throw error
                    }
                }
            }
        } catch let error as SpoolError {
            throw error
        } catch {
            throw .cancelled
        }
    }
}
