internal import Glibc

/// A file without a name, which ends with this object or with the process. Its calls block.
///
/// A crash between its creation and the removal of its name, the next call, leaves an empty file `weir-fetch-…` behind. Nothing is flushed: after a
/// crash it is of no use.
final class SpoolFile: Sendable {
    let descriptor: Int32
    private let folder: String

    init(folder: String) throws(SpoolError) {
        self.folder = folder
        let path = "\(folder)/weir-fetch-\(UInt64.random(in: 0 ... .max))"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.error("open", folder) }
        unlink(path)
    }

    /// Takes over a descriptor that is open.
    init(descriptor: Int32, folder: String) {
        self.descriptor = descriptor
        self.folder = folder
    }

    deinit { close(descriptor) }

    /// Writes all of it, or throws.
    func write(_ extent: SpoolLayout.Extent) throws(SpoolError) {
        var done = 0
        while done < extent.bytes.count {
            // A call writes an extent at most; see there.
            let end = min(extent.bytes.count, done + SpoolLayout.extentBytes)
            let count = extent.bytes.withUnsafeBytes { bytes in
                let part = UnsafeRawBufferPointer(rebasing: bytes[done..<end])
                return pwrite(descriptor, part.baseAddress, part.count, off_t(extent.offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error("write", folder) }
            done += count
        }
    }

    /// The first `count` bytes, which are there even where not all were written; the file may be forgotten then.
    func map(_ count: Int, residentBytes: Int) throws(SpoolError) -> MappedArchive {
        guard ftruncate(descriptor, off_t(count)) == 0 else { throw Self.error("ftruncate", folder) }
        let start = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let start, start != MAP_FAILED else { throw Self.error("mmap", folder) }
        return MappedArchive(UnsafeRawBufferPointer(start: start, count: count), residentBytes: residentBytes)
    }

    private static func error(_ call: String, _ folder: String) -> SpoolError {
        switch errno {
        case ENOSPC, EDQUOT: .diskFull(folder: folder)
        case let error: .storage(call: call, errno: error, folder: folder)
        }
    }
}
