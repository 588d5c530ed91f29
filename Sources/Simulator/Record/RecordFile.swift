import Glibc

/// A file that only grows. Its descriptor closes with the last reference.
final class RecordFile: Sendable {
    let path: String
    private let descriptor: Int32

    /// Creates or empties the file.
    init(path: String) throws(SimulatorError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw SimulatorError(code: .recordFailed, message: "cannot open", entity: path, cause: "errno \(errno)")
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Blocks: call it on a thread that may.
    func write(_ bytes: [UInt8]) throws(SimulatorError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SimulatorError(code: .recordFailed, message: "cannot write", entity: path, cause: "errno \(errno)") }
            done += count
        }
    }
}
