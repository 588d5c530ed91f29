import Events
import Glibc

/// Who a process is, in leases, logs and `pg_stat_activity`.
enum ProcessName {
    /// Role, host, process id and a random part, at most 63 bytes: what fits into Postgres' `application_name`.
    ///
    /// The random part tells a restarted container from the one before it, which had the same name and the same process id.
    static func make(role: String) -> WorkerID {
        let random = String(UInt32.random(in: 0...(.max)), radix: 36)
        let end = "-\(getpid())-\(random)"
        let host = hostName().prefix(max(1, 62 - role.utf8.count - end.utf8.count))
        return WorkerID("\(role)-\(host)\(end)")
    }

    /// Only what is harmless in a name; other characters become `_`.
    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(
            decoding: bytes.map { byte in
                let isPlain =
                    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x2d || byte == 0x2e
                return isPlain ? byte : 0x5f
            }, as: UTF8.self)
    }
}
