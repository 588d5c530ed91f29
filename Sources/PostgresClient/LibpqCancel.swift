internal import CLibpq
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Sends cancel requests. `PQcancel` opens a connection of its own and blocks until the server closes it, so each request has a short-lived
/// thread; with ``requestsMax`` of them under way (servers that swallow packets) none is sent any more, and closing the socket must do.
enum LibpqCancel {
    static let requestsMax = 16
    private static let underWay = Atomic(0)

    /// False where no request was sent.
    static func request(for connection: OpaquePointer) -> Bool {
        guard underWay.add(1, ordering: .relaxed).newValue <= requestsMax, let cancel = PQgetCancel(connection) else {
            underWay.subtract(1, ordering: .relaxed)
            return false
        }
        guard startThread(cancel) else {
            PQfreeCancel(cancel)
            underWay.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    fileprivate static func run(_ cancel: OpaquePointer) {
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(cancel, &message, Int32(message.count))
        PQfreeCancel(cancel)
        underWay.subtract(1, ordering: .relaxed)
    }
}

private func startThread(_ cancel: OpaquePointer) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    #if canImport(Glibc)
        var thread = pthread_t()
        return pthread_create(
            &thread, &attributes,
            { context in
                if let context { LibpqCancel.run(OpaquePointer(context)) }
                return nil
            }, UnsafeMutableRawPointer(cancel)) == 0
    #else
        var thread: pthread_t?
        return pthread_create(
            &thread, &attributes,
            { context in
                LibpqCancel.run(OpaquePointer(context))
                return nil
            }, UnsafeMutableRawPointer(cancel)) == 0
    #endif
}
