import ATProto
import NIOCore
import NIOHTTP1
import Synchronization

@testable import Ingest

/// A relay of identity messages, or a labeler, with its own numbers: replays from a cursor, then follows what is published.
final class ScriptedRelay: Sendable {
    struct State: Sendable {
        var frames: [(seq: Int64, bytes: [UInt8])] = []
        /// Sent first on a connection; what a relay says about a cursor.
        var greeting: @Sendable (Int64?) -> [UInt8]? = { _ in nil }
        /// A connection ends after so many messages; nil: never.
        var cutAfter: Int?
        var cursors: [Int64?] = []
        /// What was asked for, without the query.
        var paths: Set<String> = []
        /// Raised when everything begins anew: connections of before end.
        var generation = 0
        /// Woken by whatever is published or asked for.
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let state = Mutex(State())

    /// Messages `numbers`, of DIDs that repeat.
    func publish(_ numbers: some Sequence<Int64>, dids: Int64 = 20) {
        publish(frames: numbers.map { ($0, IdentityMessage(seq: $0, did: "did:web:d\($0 % dids).test", time: "2026-01-01T00:00:00Z").frame()) })
    }

    /// Labels by number, each on a subject of its own, unsigned.
    func publishLabels(_ numbers: some Sequence<Int64>, val: String = "spam", subjects: Int64 = 20) {
        publish(
            frames: numbers.map { seq in
                let label = Label(src: "did:plc:l", uri: "did:web:d\(seq % subjects).test", val: "\(val)\(seq)", cts: "2026-01-01T00:00:00Z")
                return (seq, LabelsMessage(seq: seq, labels: [label]).frame())
            })
    }

    /// Forgets all that it had, and ends every connection.
    func restart() {
        state.withLock { state in
            state.frames = []
            state.generation += 1
        }
        wake()
    }

    func publish(frames: [(seq: Int64, bytes: [UInt8])]) {
        state.withLock { $0.frames += frames }
        wake()
    }

    private func wake() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        waiters.forEach { $0.resume() }
    }

    /// Returns once the cursors that connections came with are so.
    func asked(_ condition: @escaping @Sendable ([Int64?]) -> Bool) async throws {
        while !condition(cursors) {
            await wait { condition($0.cursors) }
            try Task.checkCancellation()
        }
    }

    var cursors: [Int64?] { state.withLock { $0.cursors } }

    func serve(_ peer: inout WebSocketScript.Peer) async throws {
        let cursor = peer.request.uri.split(separator: "cursor=").dropFirst().first.flatMap { Int64($0) }
        let path = String(peer.request.uri.prefix { $0 != "?" })
        let (greeting, limit, seenAtStart, generation) = state.withLock { state in
            state.cursors.append(cursor)
            state.paths.insert(path)
            return (state.greeting(cursor), state.cutAfter, state.frames.count, state.generation)
        }
        wake()
        try await peer.accept(with: greeting.map { ServerFrame.data($0) } ?? ByteBuffer())
        var index = cursor == nil ? seenAtStart : 0
        var sent = 0
        while true {
            let (next, isOver) = state.withLock { ($0.frames[min(index, $0.frames.count)...].prefix(100), $0.generation != generation) }
            if isOver { return }
            for (offset, frame) in next.enumerated() where isWanted(frame.seq, cursor, index + offset, seenAtStart) {
                try await peer.send(ServerFrame.data(frame.bytes))
                sent += 1
                if sent == limit { return }
            }
            index += next.count
            if next.isEmpty { await wait { [index] in $0.frames.count > index || $0.generation != generation } }
            try Task.checkCancellation()
        }
    }

    /// A cursor chooses among what there was at the start; what is published later is always sent.
    private func isWanted(_ seq: Int64, _ cursor: Int64?, _ index: Int, _ seenAtStart: Int) -> Bool {
        guard let cursor, index < seenAtStart else { return true }
        return seq > cursor
    }

    /// Until the next change, unless it is so already or the task is cancelled.
    private func wait(unless isSo: @escaping @Sendable (borrowing State) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if isSo(state) || Task.isCancelled { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
    }
}
