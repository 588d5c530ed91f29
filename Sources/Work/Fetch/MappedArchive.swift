package import ATProto
internal import Glibc
internal import Synchronization

/// An archive in a file that is mapped into memory, of which no more than some bytes stay resident.
///
/// The pages of a mapping count as the process's own once they were touched. A touch brings up to 64 KiB at once, what lies around it in the kernel's
/// cache; so windows of that size are counted, and when as many were touched as may be resident, all are given back: they stay in the cache of the
/// kernel, which is free to drop them, and the next touch maps them again. Reads ahead are the kernel's choice, since most reads ascend.
///
/// A disk that fails under a mapping ends the process (SIGBUS); the file is ours alone, and never becomes shorter.
package final class MappedArchive: BlockSource {
    // The memory is mapped for reading alone, as long as this object lives, and nobody writes to the file behind it any more.
    nonisolated(unsafe) private let bytes: UnsafeRawBufferPointer
    private let windows: Mutex<ResidentWindows>
    private let isWhole: Bool

    /// Takes over the mapping, and ends it with this object.
    init(_ bytes: UnsafeRawBufferPointer, residentBytes: Int) {
        self.bytes = bytes
        isWhole = bytes.count <= residentBytes
        windows = Mutex(ResidentWindows(bytes: bytes.count, residentBytes: residentBytes))
    }

    /// A file that exists, and that nobody changes meanwhile; all of it may be resident.
    package convenience init(path: String) throws(SpoolError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .storage(call: "open", errno: errno, folder: path) }
        defer { close(descriptor) }
        let count = lseek(descriptor, 0, SEEK_END)
        let start = count > 0 ? mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0) : nil
        guard let start, start != MAP_FAILED else { throw .storage(call: "mmap", errno: errno, folder: path) }
        self.init(UnsafeRawBufferPointer(start: start, count: count), residentBytes: count)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

    package func withBytes(at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) {
        if !isWhole {
            let isFull = windows.withLock { $0.touch(offset..<(offset + count)) }
            if isFull { madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_DONTNEED) }
        }
        try body(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]))
    }

    package func withAllBytes(_ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) -> Bool {
        guard isWhole else { return false }
        try body(bytes)
        return true
    }
}
