import Events
import Flow
import Ledger
import Logging
import NIOCore

/// Reads one connection into one session after the other, and pauses where the gate or a lane asks for it.
actor FeedReader {
    /// Taken from the socket's queue at once.
    private static let messagesMax = 1_024
    private static let bytesMax = 1 << 20

    private let connection: WebSocketConnection
    private let gate: FeedGate
    private let gateBell: Doorbell
    private let progress: UpstreamProgress
    private let logger: Logger
    private var router: FeedRouter
    /// Read and not yet routed: what stands behind a message that asked for a new session.
    private var pending: ArraySlice<WebSocketMessage> = []

    init(
        connection: WebSocketConnection, router: FeedRouter, gate: FeedGate, gateBell: Doorbell, progress: UpstreamProgress, logger: Logger
    ) {
        self.connection = connection
        self.router = router
        self.gate = gate
        self.gateBell = gateBell
        self.progress = progress
        self.logger = logger
    }

    func opened(_ opening: SessionOpening) { router.opened(opening) }

    /// Waits for the first message that says from where a session starts.
    func firstOpening() async throws -> SessionOpening {
        while true {
            if pending.isEmpty { pending = try await connection.nextMessages(messagesMax: Self.messagesMax, bytesMax: Self.bytesMax)[...] }
            while let message = pending.first {
                switch router.route(message) {
                case .open(let opening): return opening
                case .end(let end): throw end
                case .note(let text): logger.notice("the upstream says", metadata: ["info": "\(text)"])
                case .skip, .entry, .entries: break
                }
                pending.removeFirst()
            }
        }
    }

    /// Reads until a message asks for a new session; throws at the connection's end. All that was routed before stands in the lanes by then.
    func read(into session: FeedSession) async throws -> SessionOpening {
        while true {
            await waitUntilOpen()
            await session.waitForRoom()
            if pending.isEmpty { pending = try await connection.nextMessages(messagesMax: Self.messagesMax, bytesMax: Self.bytesMax)[...] }
            if let opening = try await pass(to: session) { return opening }
        }
    }

    private func pass(to session: FeedSession) async throws -> SessionOpening? {
        let laneCount = session.lanes.count
        var shares = Array(repeating: [RoutedEntry](), count: laneCount)
        for lane in shares.indices { shares[lane].reserveCapacity(pending.count / laneCount + 16) }
        var count = 0
        var bytes = 0
        var unusable = 0
        var next: Result<SessionOpening, ConnectionEnd>?
        while next == nil, let message = pending.first {
            switch router.route(message) {
            case .entry(let routed):
                count += 1
                bytes += routed.frame.readableBytes
                if routed.entry.kind == .malformed { unusable += 1 }
                shares[routed.shard % laneCount].append(routed)
            case .entries(let several):
                count += 1
                bytes += several.first?.frame.readableBytes ?? 0
                for routed in several { shares[routed.shard % laneCount].append(routed) }
            case .open(let opening): next = .success(opening)
            case .end(let end): next = .failure(end)
            case .note(let text): logger.notice("the upstream says", metadata: ["info": "\(text)"])
            case .skip: break
            }
            if case .success = next { break }
            pending.removeFirst()
        }
        if let position = router.position {
            await session.take(shares, through: position)
            progress.took(events: count, bytes: bytes, unusable: unusable, position: position)
        }
        return try next?.get()
    }

    private func waitUntilOpen() async {
        guard let reason = gate.decision.pausedBy else { return }
        progress.became(.paused, reason: reason.rawValue)
        while !gate.decision.isOpen, !Task.isCancelled { await gateBell.wait() }
        progress.became(.streaming)
    }
}
