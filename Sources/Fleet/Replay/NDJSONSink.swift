public import Events
import Glibc
import Synchronization

/// Events as lines of JSON, appended to a file or written to a descriptor. What the shape has no word for is left out.
///
/// A replay that goes on after a crash repeats what came behind its last checkpoint.
public final class NDJSONSink: ReplaySink {
    private let descriptor: Int32
    private let path: String
    private let format: EventFormat
    private let closes: Bool

    /// - Parameter path: a file, made where there is none.
    /// - Throws: ``FleetError`` where it cannot be opened.
    public init(appendingTo path: String, format: EventFormat) throws {
        let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard opened >= 0 else { throw FleetError(code: .refused, message: "cannot write to \(path): \(String(cString: strerror(errno)))") }
        descriptor = opened
        self.path = path
        self.format = format
        closes = true
    }

    /// Standard output.
    public init(format: EventFormat) {
        descriptor = STDOUT_FILENO
        path = "standard output"
        self.format = format
        closes = false
    }

    deinit { if closes { close(descriptor) } }

    public func deliver(_ events: [LogEvent]) async throws {
        var bytes: [UInt8] = []
        for event in events where format.append(event, to: &bytes) { bytes.append(UInt8(ascii: "\n")) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw FleetError(code: .refused, message: "cannot write to \(path): \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(written)
        }
    }

    public func settle() async throws {
        // A terminal or a pipe has nothing to sync.
        if closes, fsync(descriptor) != 0 {
            throw FleetError(code: .refused, message: "cannot sync \(path): \(String(cString: strerror(errno)))")
        }
    }
}
