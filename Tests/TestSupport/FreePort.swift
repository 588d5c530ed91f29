import Foundation
import Synchronization

/// Ports for servers that tests start, stop and start again.
///
/// They are below the range from which the kernel takes the ports of outgoing connections: a client that calls a server which is down could else
/// be given the server's own port, be connected to itself, and keep the server from coming back. And apart from those of `ops/lib.sh`
/// (20000 and up). No port is given twice in a process.
public enum FreePort {
    private static let range = 10_000..<20_000
    private static let given = Mutex<Set<Int>>([])

    /// A TCP port of the loopback address that nothing listened on a moment ago. Another process may take it: whoever starts a server retries.
    public static func choose() throws -> Int {
        for _ in 0..<1_000 {
            let port = Int.random(in: range)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            if try isFree(port) { return port }
        }
        throw TestSupportError("no free port in \(range)")
    }

    private static func isFree(_ port: Int) throws -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("socket: errno \(errno)") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
        }
        guard isBound || errno == EADDRINUSE else { throw TestSupportError("bind: errno \(errno)") }
        return isBound
    }
}
