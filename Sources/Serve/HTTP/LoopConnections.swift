import Events
import NIOCore

/// The connections of one event loop. Used on that loop only.
final class LoopConnections {
    let parts: ServerParts
    let eventLoop: any EventLoop
    private(set) var isDraining = false
    private var requests: [ObjectIdentifier: RequestHandler] = [:]
    private var streams: [ObjectIdentifier: StreamHandler] = [:]
    private var streamsByRun: [RunID: Set<ObjectIdentifier>] = [:]
    private var ticker: RepeatedTask?
    /// Chunks rendered in the pass under way, for other clients of the same runs that stand at the same place and want the same.
    private var chunks: [ChunkKey: StreamChunk]?

    private struct ChunkKey: Hashable {
        /// Seqs of one run are those of another too.
        var runs: [RunID]
        var renderer: StreamRenderer
    }

    init(parts: ServerParts, eventLoop: any EventLoop) {
        self.parts = parts
        self.eventLoop = eventLoop
    }

    /// Begins to look after connections: heartbeats, slow clients, idle connections.
    func start() {
        let configuration = parts.configuration
        let shortest = min(configuration.heartbeatEvery, configuration.slowClientTimeout, configuration.idleTimeout, configuration.bodyTimeout)
        let interval = TimeAmount(min(max(shortest / 8, .milliseconds(5)), .seconds(1)))
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in bound.value.tick() }
    }

    func add(_ handler: RequestHandler) { requests[ObjectIdentifier(handler)] = handler }
    func remove(_ handler: RequestHandler) { requests[ObjectIdentifier(handler)] = nil }

    func add(_ handler: StreamHandler) {
        streams[ObjectIdentifier(handler)] = handler
        for run in handler.plan.runs { streamsByRun[run, default: []].insert(ObjectIdentifier(handler)) }
    }

    func remove(_ handler: StreamHandler) {
        streams[ObjectIdentifier(handler)] = nil
        for run in handler.plan.runs {
            streamsByRun[run]?.remove(ObjectIdentifier(handler))
            if streamsByRun[run]?.isEmpty == true { streamsByRun[run] = nil }
        }
    }

    /// Some runs have something new: every client of them takes it, and those at the same place share what is rendered.
    func advanced(_ runs: Set<RunID>) {
        chunks = [:]
        defer { chunks = nil }
        var woken: Set<ObjectIdentifier> = []
        for run in runs {
            for id in streamsByRun[run] ?? [] where woken.insert(id).inserted { streams[id]?.pump() }
        }
    }

    func chunk(_ renderer: StreamRenderer, of runs: [RunID], topics: [OutletTopic]) -> StreamChunk {
        let key = ChunkKey(runs: runs, renderer: renderer)
        if let shared = chunks?[key] { return shared }
        let chunk = StreamChunk(renderer, topics: topics)
        if chunk.moved { chunks?[key] = chunk }
        return chunk
    }

    private func tick() {
        let now = NIODeadline.now()
        for handler in Array(streams.values) { handler.tick(now) }
        for handler in Array(requests.values) { handler.tick(now) }
    }

    /// Ends every stream with word to reconnect, and every connection that is not answering; the future is done when all are closed.
    func drain() -> EventLoopFuture<Void> {
        isDraining = true
        let streaming = Array(streams.values)
        let asking = Array(requests.values)
        let closed = streaming.compactMap(\.closeFuture) + asking.compactMap(\.closeFuture)
        for handler in streaming { handler.drain() }
        for handler in asking { handler.drain() }
        return .andAllComplete(closed, on: eventLoop)
    }

    /// Closes what is left.
    func stop() {
        ticker?.cancel()
        ticker = nil
        for handler in Array(streams.values) { handler.close() }
        for handler in Array(requests.values) { handler.close() }
    }
}
