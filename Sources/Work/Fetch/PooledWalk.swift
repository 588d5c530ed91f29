public import ATProto
public import NIOPosix
internal import Synchronization

/// A walk whose steps run on a pool of threads: what it reads may wait for a disk, and a step of some thousand records takes milliseconds.
///
/// One task uses it, one call after the other.
public final class PooledWalk: Sendable {
    private let pool: NIOThreadPool
    private let walk: Mutex<ArchiveWalk>

    /// Throws as ``RepositoryArchive/walk(aheadBytes:)``.
    public static func begin(
        _ archive: RepositoryArchive, aheadBytes: Int = RepositoryArchive.aheadBytes, pool: NIOThreadPool = .singleton
    ) async throws(SpoolError) -> PooledWalk {
        try await onPool(pool) { () throws(FormatError) in PooledWalk(try archive.walk(aheadBytes: aheadBytes), pool) }
    }

    private init(_ walk: ArchiveWalk, _ pool: NIOThreadPool) {
        self.walk = Mutex(walk)
        self.pool = pool
    }

    /// Lends the walk to `body` on the pool, for some records; what `body` throws is thrown as `archive`.
    public func step<R: Sendable>(_ body: @escaping @Sendable (inout ArchiveWalk) throws(FormatError) -> R) async throws(SpoolError) -> R {
        try await Self.onPool(pool) { [walk = self] () throws(FormatError) in
            try walk.walk.withLock { walk throws(FormatError) in try body(&walk) }
        }
    }

    private static func onPool<R: Sendable>(
        _ pool: NIOThreadPool, _ body: @escaping @Sendable () throws(FormatError) -> R
    ) async throws(SpoolError) -> R {
        do {
            return try await pool.runIfActive { try body() }
        } catch let error as FormatError {
            throw .archive(error)
        } catch {
            throw .cancelled
        }
    }
}
