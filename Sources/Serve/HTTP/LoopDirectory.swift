import Events
import NIOCore

/// The connections of each event loop of a group.
struct LoopDirectory: Sendable {
    private let byLoop: [ObjectIdentifier: NIOLoopBound<LoopConnections>]

    init(parts: ServerParts, group: any EventLoopGroup) async throws {
        var byLoop: [ObjectIdentifier: NIOLoopBound<LoopConnections>] = [:]
        for loop in group.makeIterator() {
            byLoop[ObjectIdentifier(loop)] = try await loop.submit {
                let connections = LoopConnections(parts: parts, eventLoop: loop)
                connections.start()
                return NIOLoopBound(connections, eventLoop: loop)
            }.get()
        }
        self.byLoop = byLoop
    }

    /// On that loop only.
    subscript(loop: any EventLoop) -> LoopConnections? { byLoop[ObjectIdentifier(loop)]?.value }

    func advanced(_ runs: Set<RunID>) {
        for bound in byLoop.values { bound.eventLoop.execute { bound.value.advanced(runs) } }
    }

    /// Lets connections end, for at most `timeout`.
    func drain(within timeout: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let closed = byLoop.values.map { bound in bound.eventLoop.flatSubmit { bound.value.drain() } }
                for future in closed { try? await future.get() }
            }
            group.addTask { try? await Task.sleep(for: timeout) }
            await group.next()
            // A future cannot be cancelled: what is left is closed, which ends it.
            for bound in byLoop.values { bound.eventLoop.execute { bound.value.stop() } }
            group.cancelAll()
        }
    }

    func stop() async {
        for bound in byLoop.values { try? await bound.eventLoop.submit { bound.value.stop() }.get() }
    }
}
