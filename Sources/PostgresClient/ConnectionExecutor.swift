internal import DequeModule
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// The executor of one connection: a thread of its own, so that waiting for a socket never holds a thread of the cooperative pool.
///
/// The thread runs the actor's jobs one after the other. While there is none it sleeps in `poll(2)` on its wake-up pipe and, where somebody
/// waits for notifications, on the connection's socket. The thread keeps the executor alive; ``stop()`` ends it after the last job.
final class ConnectionExecutor: SerialExecutor {
    private struct State {
        var jobs = Deque<UnownedJob>()
        var isSleeping = false
        var isStopped = false
        var watch: Watch?
        var watchesMade: UInt64 = 0
    }

    private struct Watch {
        var id: UInt64
        var socket: Int32
        var continuation: CheckedContinuation<Void, Never>
    }

    let pipe: WakePipe
    private let state = Mutex(State())

    /// Nil where the process has no descriptor or no thread left.
    static func start() -> ConnectionExecutor? {
        guard let pipe = WakePipe() else { return nil }
        let executor = ConnectionExecutor(pipe: pipe)
        return startThread(executor) ? executor : nil
    }

    private init(pipe: WakePipe) { self.pipe = pipe }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wakes = state.withLock { state in
            state.jobs.append(job)
            return state.isSleeping
        }
        if wakes { pipe.wake() }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// Ends the thread once the queue is empty. Called when the actor goes away, so no job can follow.
    func stop() {
        let watch = state.withLock { state in
            state.isStopped = true
            return state.watch.take()
        }
        watch?.continuation.resume()
        pipe.wake()
    }

    /// Suspends until the socket is readable, ``endWatch()`` is called or the task is cancelled. One watch at a time: a second ends the first.
    func waitUntilReadable(_ socket: Int32, isolation: isolated (any Actor)? = #isolation) async {
        let id = state.withLock { state in
            state.watchesMade += 1
            return state.watchesMade
        }
        await withTaskCancellationHandler {
            // Captured, the isolation holds in here too: nothing of the actor runs between the caller's last look and the watch.
            _ = isolation
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let previous = state.withLock { state -> Watch? in
                    defer { state.watch = Watch(id: id, socket: socket, continuation: continuation) }
                    return state.watch
                }
                previous?.continuation.resume()
                // The handler may have run before the watch was in place.
                if Task.isCancelled { endWatch(id) }
            }
        } onCancel: {
            endWatch(id)
        }
    }

    /// Ends the present watch, as if the socket were readable.
    func endWatch() { endWatch(nil) }

    private func endWatch(_ id: UInt64?) {
        let watch = state.withLock { state in
            id == nil || state.watch?.id == id ? state.watch.take() : nil
        }
        watch?.continuation.resume()
    }

    /// The thread's loop.
    fileprivate func run() {
        while true {
            let (job, socket, isStopped) = state.withLock { state -> (UnownedJob?, Int32?, Bool) in
                if let job = state.jobs.popFirst() { return (job, nil, false) }
                state.isSleeping = !state.isStopped
                return (nil, state.watch?.socket, state.isStopped)
            }
            if let job {
                job.runSynchronously(on: asUnownedSerialExecutor())
            } else if isStopped {
                return
            } else {
                sleep(watching: socket)
            }
        }
    }

    private func sleep(watching socket: Int32?) {
        var descriptors = [pollfd(fd: pipe.readEnd, events: Int16(POLLIN), revents: 0)]
        if let socket { descriptors.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
        _ = poll(&descriptors, nfds_t(descriptors.count), -1)
        state.withLock { $0.isSleeping = false }
        if descriptors[0].revents != 0 { pipe.drain() }
        if descriptors.count > 1, descriptors[1].revents != 0 { endWatch() }
    }
}

private func startThread(_ executor: ConnectionExecutor) -> Bool {
    let context = Unmanaged.passRetained(executor)
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    defer { pthread_attr_destroy(&attributes) }
    #if canImport(Glibc)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<ConnectionExecutor>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
    #else
        var thread: pthread_t?
        let status = pthread_create(
            &thread, &attributes,
            { context in
                Unmanaged<ConnectionExecutor>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
    #endif
    if status != 0 { context.release() }
    return status == 0
}
