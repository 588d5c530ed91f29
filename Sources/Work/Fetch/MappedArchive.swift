internal import ATProto
internal import Glibc
internal import Synchronization

/// An archive in a file that is mapped into memory, of which no more than some bytes stay resident.
///
/// The pages of a mapping count as the process's own once they were touched. A touch brings up to 64 KiB at once, what lies around it in the kernel's
/// cache; so windows of that size are counted, and when as many were touched as may be resident, all are given back: they stay in the cache of the
/// kernel, which is free to drop them, and the next touch maps them again. Reads ahead are the kernel's choice, since most reads ascend.
///
/// A disk that fails under a mapping ends the process (SIGBUS); the file is ours alone, and never becomes shorter.
final class MappedArchive: BlockSource {
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

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

    func withBytes(at offset: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) {
        if !isWhole {
            let isFull = windows.withLock { $0.touch(offset..<(offset + count)) }
            if isFull { madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_DONTNEED) }
        }
        try body(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]))
    }

    func withAllBytes(_ body: (UnsafeRawBufferPointer) throws(FormatError) -> Void) throws(FormatError) -> Bool {
        guard isWhole else { return false }
        try body(bytes)
        return true
    }
}
