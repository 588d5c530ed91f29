import Foundation
import Glibc
import Synchronization

/// Many clients of one server in one thread: sockets that ask once and then only read, watched by one poll.
///
/// Closed with it. Its work is done on threads of its own: reading does not wait for the cooperative pool.
final class SocketCrowd: Sendable {
    struct Counts: Sendable, Hashable {
        /// Bytes that came, over all sockets.
        var bytes: Int64 = 0
        /// Sockets whose server ended the stream.
        var ended = 0
        /// Of the socket that got least, and most.
        var least: Int64 = 0
        var most: Int64 = 0
    }

    private let sockets: [Int32]
    private let bytes: Mutex<[Int64]>

    private init(sockets: [Int32]) {
        self.sockets = sockets
        bytes = Mutex([Int64](repeating: 0, count: sockets.count))
    }

    deinit {
        for socket in sockets { close(socket) }
    }

    /// The clients go; the server sees it at once.
    func end() async { for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) } }

    /// Connects and sends the request on each.
    static func connect(_ count: Int, port: Int, request: String, onProgress: @escaping @Sendable (Int) -> Void) async throws -> SocketCrowd {
        try raiseLimit(count + 512)
        return try await BenchThread.run {
            var sockets: [Int32] = []
            for index in 0..<count {
                let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                guard descriptor >= 0, connect(descriptor, to: port), send(descriptor, request) else {
                    for socket in sockets { close(socket) }
                    throw Failure("client \(index) cannot connect: \(String(cString: strerror(errno)))")
                }
                _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
                sockets.append(descriptor)
                if index % 250 == 0 { onProgress(index) }
            }
            return SocketCrowd(sockets: sockets)
        }
    }

    /// Reads until every socket has ended, or it is so, or for `patience`.
    func read(for patience: Duration, until isSo: @escaping @Sendable (Counts) -> Bool = { _ in false }) async throws -> Counts {
        try await BenchThread.run { [self] in
            let deadline = ContinuousClock.now + patience
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            var watched = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            var counts = Counts()
            while counts.ended < sockets.count, ContinuousClock.now < deadline, !isSo(counts) {
                guard poll(&watched, nfds_t(watched.count), 50) > 0 else { continue }
                for index in watched.indices where watched[index].revents != 0 {
                    let got = recv(sockets[index], &buffer, buffer.count, 0)
                    if got > 0 {
                        counts.bytes += Int64(got)
                        bytes.withLock { $0[index] += Int64(got) }
                    } else if got == 0 || errno != EAGAIN {
                        // A negative one is passed over.
                        watched[index].fd = -1
                        watched[index].revents = 0
                        counts.ended += 1
                    }
                }
            }
            return bytes.withLock { bytes in
                counts.least = bytes.min() ?? 0
                counts.most = bytes.max() ?? 0
                return counts
            }
        }
    }

    private static func connect(_ descriptor: Int32, to port: Int) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func send(_ descriptor: Int32, _ request: String) -> Bool {
        let bytes = Array(request.utf8)
        return bytes.isEmpty || Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// Also of the processes that are started from here on.
    static func raiseLimit(_ count: Int) throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard limit.rlim_cur < rlim_t(count) else { return }
        guard limit.rlim_max >= rlim_t(count) else { throw Failure("\(count) open files are needed, \(limit.rlim_max) are allowed (ulimit -Hn)") }
        limit.rlim_cur = rlim_t(count)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { throw Failure("the limit of open files cannot be raised") }
    }
}

/// A thread for work that blocks.
enum BenchThread {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try body() }) }
            thread.stackSize = 1 << 20
            thread.start()
        }
    }
}
