import Events
import Foundation
import NIOPosix

/// Appends events to a file, one JSON object a line; on the standard output the same.
///
/// A batch is one write, and on the disk (`fdatasync`) before it counts as delivered. A crash between the write and the mark brings the batch again:
/// lines carry run and seq, by which a reader drops the repeat. The file may be moved away at any time: it is opened for each batch.
/// A line that a crash of the machine tore is ended by the next batch, so that it spoils no other.
struct FileWriter: SinkWriter {
    enum Destination: Sendable {
        case path(String)
        case descriptor(Int32)
    }

    let destination: Destination

    func deliver(_ batch: SinkBatch) async throws(DeliveryError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(batch.bytes + batch.items.count)
        for item in batch.items {
            // A body may have line breaks between its values, which mean nothing.
            bytes += item.bytes.contains(where: Self.isBreak) ? item.bytes.map { Self.isBreak($0) ? UInt8(ascii: " ") : $0 } : item.bytes
            bytes.append(UInt8(ascii: "\n"))
        }
        do {
            // The disk may take its time: not on a thread of the cooperative pool.
            try await NIOThreadPool.singleton.runIfActive { [bytes] in try write(bytes) }
        } catch let error as DeliveryError {
            throw error
        } catch {
            throw DeliveryError(.cancelled, "\(error)")
        }
    }

    func close() async {}

    private func write(_ bytes: [UInt8]) throws {
        switch destination {
        case .descriptor(let descriptor): try Self.write(bytes, to: descriptor, "standard output")
        case .path(let path):
            let folder = (path as NSString).deletingLastPathComponent
            if !folder.isEmpty { try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
            let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
            guard descriptor >= 0 else { throw Self.failure("open", path) }
            defer { Glibc.close(descriptor) }
            try Self.write(Self.isTorn(descriptor) ? [UInt8(ascii: "\n")] + bytes : bytes, to: descriptor, path)
            guard fdatasync(descriptor) == 0 else { throw Self.failure("sync", path) }
        }
    }

    private static func isBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    private static func isTorn(_ descriptor: Int32) -> Bool {
        let size = lseek(descriptor, 0, SEEK_END)
        guard size > 0 else { return false }
        var last: UInt8 = 0
        return pread(descriptor, &last, 1, size - 1) == 1 && last != UInt8(ascii: "\n")
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ name: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                throw failure("write", name)
            }
            rest = rest.dropFirst(written)
        }
    }

    private static func failure(_ operation: String, _ name: String) -> DeliveryError {
        .transient("cannot \(operation) \(name): \(String(cString: strerror(errno)))")
    }
}
