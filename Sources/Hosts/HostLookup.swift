internal import NIOCore
internal import NIOPosix

/// Looks up the address that a host's name stands for, off the cooperative pool and for a bounded time.
///
/// The system's resolver blocks a thread and can't be stopped: a look-up that was given up holds one of ``threads`` until it ends. So a
/// name server of strangers that never answers delays other look-ups, and nothing else.
enum HostLookup {
    private static let threads = 8
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        return pool
    }()

    private struct TooLate: Error {}

    /// The first address, in the system's order of preference; nil where there is none, or none in time.
    static func address(of host: String, port: Int, within limit: Duration) async -> SocketAddress? {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: SocketAddress.self)
        let timer = loop.scheduleTask(in: TimeAmount(limit)) { promise.fail(TooLate()) }
        pool.runIfActive(eventLoop: loop) { try SocketAddress.makeAddressResolvingHost(host, port: port) }.cascade(to: promise)
        defer { timer.cancel() }
        return try? await promise.futureResult.get()
    }
}
