import ATProto
import NIOCore
import NIOHTTP1
import Synchronization

@testable import Ingest

/// A relay of identity messages with its own numbers: replays from a cursor, then follows what is published.
final class ScriptedRelay: Sendable {
    struct State: Sendable {
        var frames: [(seq: Int64, bytes: [UInt8])] = []
        /// Sent first on a connection; what a relay says about a cursor.
        var greeting: @Sendable (Int64?) -> [UInt8]? = { _ in nil }
        /// A connection ends after so many messages; nil: never.
        var cutAfter: Int?
        var cursors: [Int64?] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let state = Mutex(State())

    /// Messages `numbers`, of DIDs that repeat.
    func publish(_ numbers: some Sequence<Int64>, dids: Int64 = 20) {
        publish(frames: numbers.map { ($0, IdentityMessage(seq: $0, did: "did:web:d\($0 % dids).test", time: "2026-01-01T00:00:00Z").frame()) })
    }

    func publish(frames: [(seq: Int64, bytes: [UInt8])]) {
        let waiters = state.withLock { state in
            state.frames += frames
            defer { state.waiters = [] }
            return state.waiters
        }
        waiters.forEach { $0.resume() }
    }

    var cursors: [Int64?] { state.withLock { $0.cursors } }

    func serve(_ peer: inout WebSocketScript.Peer) async throws {
        let cursor = peer.request.uri.split(separator: "cursor=").dropFirst().first.flatMap { Int64($0) }
        let (greeting, limit, seenAtStart) = state.withLock { state in
            state.cursors.append(cursor)
            return (state.greeting(cursor), state.cutAfter, state.frames.count)
        }
        try await peer.accept(with: greeting.map { ServerFrame.data($0) } ?? ByteBuffer())
        var index = cursor == nil ? seenAtStart : 0
        var sent = 0
        while true {
            let next = state.withLock { $0.frames[min(index, $0.frames.count)...].prefix(100) }
            for (offset, frame) in next.enumerated() where isWanted(frame.seq, cursor, index + offset, seenAtStart) {
                try await peer.send(ServerFrame.data(frame.bytes))
                sent += 1
                if sent == limit { return }
            }
            index += next.count
            if next.isEmpty { await waitForMore(index) }
            try Task.checkCancellation()
        }
    }

    /// A cursor chooses among what there was at the start; what is published later is always sent.
    private func isWanted(_ seq: Int64, _ cursor: Int64?, _ index: Int, _ seenAtStart: Int) -> Bool {
        guard let cursor, index < seenAtStart else { return true }
        return seq > cursor
    }

    private func waitForMore(_ index: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if state.frames.count > index || Task.isCancelled { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            let waiters = state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            waiters.forEach { $0.resume() }
        }
    }
}
