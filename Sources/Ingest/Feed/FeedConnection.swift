import Broker
import Events
import Flow
import Ledger
import Logging
import NIOCore
import ServiceLifecycle

/// One connection to an upstream under a lease: plans, connects, and runs sessions until the end.
struct FeedConnection: Sendable {
    let upstream: FeedUpstream
    let ownership: UpstreamOwnership
    let gateBell: Doorbell
    let plan: FeedPlan
    let endpoint: WebSocketEndpoint
    let logger: Logger

    /// What a task of a running session came back with.
    private enum Event: Sendable {
        case reading(Result<SessionOpening, ConnectionEnd>)
        case rewind(Int64)
        case laneDone
        case ticksEnded
    }

    /// Runs to the end of the connection. Never returns normally without a reason.
    func run(opened: @Sendable () -> Void) async -> ConnectionEnd {
        do {
            let options = upstream.configuration.connection
            return try await WebSocketConnection.withConnection(to: endpoint, path: plan.path(upstream.feed), options: options, accepts: accepts) {
                connection in
                try await converse(connection, opened: opened)
            }
        } catch {
            return ending(error)
        }
    }

    /// An address that an operator wrote may be any; one of a stranger's document may not.
    private func accepts(_ address: SocketAddress) -> Bool {
        guard case .labeler = upstream.source else { return true }
        return upstream.directory?.allows(address) ?? false
    }

    private func ending(_ error: any Error) -> ConnectionEnd {
        let end = ConnectionEnd(error)
        guard end.cause == .cancelled, Task.isShuttingDownGracefully else { return end }
        return ConnectionEnd(.shutdown)
    }

    private func converse(_ connection: WebSocketConnection, opened: () -> Void) async throws -> ConnectionEnd {
        let router = FeedRouter(feed: upstream.feed, host: upstream.host, plan: plan, shards: upstream.streams.shards)
        let reader = FeedReader(
            connection: connection, router: router, gate: upstream.gate, gateBell: gateBell, progress: upstream.progress, logger: logger)
        var opening = plan.opening
        if opening == nil { opening = try await cancelWhenGracefulShutdown { try await reader.firstOpening() } }
        while let next = opening {
            let session = try await open(next)
            opened()
            await reader.opened(next)
            switch try await run(session, reader) {
            case .success(let following):
                await close(session, reason: "succeeded by another session", reader)
                opening = following
            case .failure(let end):
                await close(session, reason: end.reason, reader)
                return end
            }
        }
        return ConnectionEnd(.unexpected("no session to run"))
    }

    /// Numbers a session, fenced, before its first append.
    private func open(_ opening: SessionOpening) async throws -> FeedSession {
        let number = try await upstream.ledger.openSession(ownership.lease, from: opening.from, gap: opening.gap, endpoint: endpoint.description)
        upstream.seams.reached(.ingestAfterOpenSession)
        upstream.progress.opened(session: number, from: opening.from)
        logger.info(
            "session opened",
            metadata: [
                "session": "\(number)", "from": "\(opening.from)", "gap": "\(opening.gap.map { "\($0.after)..\($0.through)" } ?? "")",
            ])
        let count = min(upstream.configuration.lanes, upstream.streams.shards.count)
        let lanes = (0..<count).map { index in
            AppendLane(
                index: index, laneCount: count, session: number, opening: opening, host: upstream.host, streams: upstream.streams,
                ownership: ownership,
                configuration: upstream.configuration, seams: upstream.seams, logger: logger)
        }
        return FeedSession(number: number, opening: opening, lanes: lanes)
    }

    /// Runs one session: reads until its end, then writes what was read. Throws where nothing more may or can be written.
    private func run(_ session: FeedSession, _ reader: FeedReader) async throws -> Result<SessionOpening, ConnectionEnd> {
        try await withThrowingTaskGroup(of: Event.self) { group in
            for lane in session.lanes {
                group.addTask {
                    try await lane.run()
                    return .laneDone
                }
            }
            group.addTask { await read(reader, session) }
            group.addTask { await rewind(of: session) }
            group.addTask {
                await tick(session)
                return .ticksEnded
            }
            defer { group.cancelAll() }
            var outcome: Result<SessionOpening, ConnectionEnd>?
            var running = session.lanes.count
            while let event = try await group.next() {
                switch event {
                case .rewind(let number):
                    // Whatever is still unwritten comes again from the committed watermark.
                    return .failure(ConnectionEnd(.rewind(session: number)))
                case .reading(let result):
                    if case .failure(let end) = result, end.cause == .cancelled { throw end }
                    outcome = result
                    await session.finish()
                    group.addTask {
                        try await Task.sleep(for: upstream.configuration.drainLimit)
                        throw ConnectionEnd(.undrained)
                    }
                case .laneDone:
                    running -= 1
                    guard running == 0, let outcome else { continue }
                    await storeHint(session)
                    return outcome
                case .ticksEnded:
                    break
                }
            }
            return outcome ?? .failure(ConnectionEnd(.cancelled))
        }
    }

    private func read(_ reader: FeedReader, _ session: FeedSession) async -> Event {
        do {
            let opening = try await cancelWhenGracefulShutdown { try await reader.read(into: session) }
            return .reading(.success(opening))
        } catch {
            return .reading(.failure(ending(error)))
        }
    }

    private func rewind(of session: FeedSession) async -> Event {
        while !Task.isCancelled {
            if ownership.rewindOf == session.number { return .rewind(session.number) }
            await ownership.rewindBell.wait()
        }
        return .ticksEnded
    }

    /// Barriers, also while idle or paused, and the hint for a quick restart.
    private func tick(_ session: FeedSession) async {
        var hinted: Position?
        while !Task.isCancelled {
            do { try await Task.sleep(for: upstream.configuration.barrierInterval) } catch { return }
            await session.shed(upstream.gate.decision.shed)
            await session.barrier()
            let acknowledged = await session.acknowledgedBarrier()
            if acknowledged != hinted, acknowledged != nil {
                await storeHint(session)
                hinted = acknowledged
            }
        }
    }

    private func storeHint(_ session: FeedSession) async {
        guard let position = await session.acknowledgedBarrier(), ownership.isTrusted else { return }
        upstream.seams.reached(.ingestAfterAppendBeforeCursor)
        do throws(BrokerError) {
            try await upstream.streams.setCursorHint(CursorHint(session: session.number, position: position), host: upstream.host)
        } catch {
            // Only a hint: without it the next start reads again from the committed watermark.
            logger.debug("the cursor hint was not stored", metadata: ["error": "\(error)"])
        }
    }

    private func close(_ session: FeedSession, reason: String, _ reader: FeedReader) async {
        let last = upstream.progress.snapshot.report.position ?? session.opening.from
        do throws(LedgerError) {
            try await upstream.ledger.closeSession(ownership.lease, session: session.number, reason: reason, last: last)
        } catch {
            // For post-mortems only: the next session does not depend on it.
            logger.debug("the session's end was not noted", metadata: ["session": "\(session.number)", "error": "\(error)"])
        }
    }
}
