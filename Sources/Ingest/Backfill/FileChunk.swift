import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A piece of a file, read on a thread that may block, and what tells whether the file is still the same.
struct FileChunk: Hashable, Sendable {
    /// Changes when the file is written to or replaced.
    struct Version: Hashable, Sendable {
        var inode: UInt64
        var size: Int64
        var modifiedSeconds: Int64
        var modifiedNanoseconds: Int64
    }

    struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        var description: String
    }

    var version: Version
    /// Empty at the end, and where none were asked for.
    var bytes: [UInt8]

    /// - Parameter count: bytes at most; 0: only look at the version.
    static func read(_ path: String, from offset: Int64, count: Int) async throws -> FileChunk {
        try await NIOThreadPool.singleton.runIfActive { try readNow(path, from: offset, count: count) }
    }

    private static func readNow(_ path: String, from offset: Int64, count: Int) throws(Failure) -> FileChunk {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(description: "\(path): not a file") }
        #if canImport(Darwin)
            let modified = status.st_mtimespec
        #else
            let modified = status.st_mtim
        #endif
        let version = Version(
            inode: UInt64(status.st_ino), size: Int64(status.st_size), modifiedSeconds: Int64(modified.tv_sec),
            modifiedNanoseconds: Int64(modified.tv_nsec))
        guard count > 0 else { return FileChunk(version: version, bytes: []) }
        var bytes = [UInt8](repeating: 0, count: count)
        let taken = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, count, off_t(offset)) }
        guard taken >= 0 else { throw failure(path) }
        bytes.removeLast(count - taken)
        return FileChunk(version: version, bytes: bytes)
    }

    private static func failure(_ path: String) -> Failure { Failure(description: "\(path): \(String(cString: strerror(errno)))") }
}
