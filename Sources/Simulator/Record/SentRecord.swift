import DequeModule
import NIOPosix
import Synchronization

/// The simulator's own record of what a correct consumer must end with, as NDJSON. Shares no code with the pipeline that it judges.
///
/// Lines: `{"n", "type": "commit"|"sync"|"identity"|"account", "did", "time", …}` for each event of the network, written when it is handed to
/// the relays (at least one of them sends it); `{"type": "refused"|"ignored", "fault", "relay", "seq", …}` for each bad frame, when a relay
/// gives it a number; `{"type": "fork", "did", "rev", "lost"}` where a host turned back to `rev`, with the revs of the commits that it lost, in
/// order; `{"type": "forgotten", "relay", "seq", "of", "did", "rev", "time"}` for each message that a relay was told to give up; of labelers
/// `{"type": "refused_label", "fault", "labeler", "seq", "src", "uri", "val"}` and `{"type": "forgotten_labels", "labeler", "first", "last"}`.
/// Kept in memory up to a bound, oldest given up first, and in full in a file where one is configured; a crash loses at most the lines of the
/// last tick.
public final class SentRecord: Sendable {
    private struct State {
        var lines = Deque<[UInt8]>()
        /// Lines that were given up.
        var dropped = 0
        var events = 0
        var unwritten: [UInt8] = []
    }

    private let state = Mutex(State())
    private let linesMax: Int
    private let file: RecordFile?

    /// Opens the file, if any; throws `recordFailed`.
    init(linesMax: Int, path: String?) throws(SimulatorError) {
        self.linesMax = linesMax
        file = if let path { try RecordFile(path: path) } else { nil }
    }

    /// Events so far.
    public var eventCount: Int { state.withLock { $0.events } }
    /// Lines in memory, and lines given up.
    public var lineCounts: (kept: Int, dropped: Int) { state.withLock { ($0.lines.count, $0.dropped) } }

    /// Every line that is kept, in order.
    public var lines: [String] {
        state.withLock { state in state.lines.map { String(decoding: $0.dropLast(), as: UTF8.self) } }
    }

    /// Every line that is kept, in order; they are given up, so that a run of hours need not hold all that it compared already.
    public func takeLines() -> [String] {
        let taken = state.withLock { state in
            defer {
                state.dropped += state.lines.count
                state.lines.removeAll()
            }
            return state.lines
        }
        return taken.map { String(decoding: $0.dropLast(), as: UTF8.self) }
    }

    func sent(_ event: NetworkEvent, time: [UInt8]) {
        state.withLock { state in
            state.events += 1
            append(RecordLine.event(event, n: state.events, time: time), to: &state)
        }
    }

    func refused(_ kind: FaultKind, relay: Int, seq: Int64, event: NetworkEvent) {
        let line = RecordLine.refused(kind, relay: relay, seq: seq, event: event)
        state.withLock { append(line, to: &$0) }
    }

    func forgotten(relay: Int, seq: Int64, event: NetworkEvent, time: [UInt8]) {
        let line = RecordLine.forgotten(relay: relay, seq: seq, event: event, time: time)
        state.withLock { append(line, to: &$0) }
    }

    func forked(_ fork: NetworkFork) {
        let line = RecordLine.forked(fork)
        state.withLock { append(line, to: &$0) }
    }

    func refused(_ label: SimulatedLabel, labeler: Int, seq: Int64) {
        let line = RecordLine.refused(label, labeler: labeler, seq: seq)
        state.withLock { append(line, to: &$0) }
    }

    func forgotten(labeler: Int, first: Int64, last: Int64) {
        let line = RecordLine.forgotten(labeler: labeler, first: first, last: last)
        state.withLock { append(line, to: &$0) }
    }

    func injected(_ kind: FaultKind, relay: Int, seq: Int64) {
        let line = RecordLine.injected(kind, relay: relay, seq: seq)
        state.withLock { append(line, to: &$0) }
    }

    /// Writes to the file what it lacks. Called after each batch.
    func flush() async throws(SimulatorError) {
        guard let file else { return }
        let bytes = state.withLock { state in
            defer { state.unwritten = [] }
            return state.unwritten
        }
        guard !bytes.isEmpty else { return }
        do {
            try await NIOThreadPool.singleton.runIfActive { try file.write(bytes) }
        } catch is CancellationError {
            // Cancelled before the pool began it: `finish()` writes it.
            state.withLock { $0.unwritten = bytes + $0.unwritten }
        } catch {
            throw SimulatorError(code: .recordFailed, message: "cannot write", entity: file.path, cause: "\(error)")
        }
    }

    /// Writes to the file what it lacks, at the end of the process: blocks for that one write. What cannot be written is lost with it.
    func finish() {
        let bytes = state.withLock { state in
            defer { state.unwritten = [] }
            return state.unwritten
        }
        if let file, !bytes.isEmpty { try? file.write(bytes) }
    }

    /// A reader of the lines from the oldest that is kept to the newest at this moment, in parts of about 64 KB.
    func reader() -> RecordReader {
        let (first, end) = state.withLock { ($0.dropped, $0.dropped + $0.lines.count) }
        return RecordReader(record: self, next: first, end: end)
    }

    /// Lines from a place on, the place after them; nil where none is left before `end`.
    func part(from place: Int, end: Int) -> (bytes: [UInt8], next: Int)? {
        state.withLock { state in
            var next = max(place, state.dropped)
            var bytes: [UInt8] = []
            while next < end, bytes.count < 64 << 10 {
                bytes += state.lines[next - state.dropped]
                next += 1
            }
            return bytes.isEmpty ? nil : (bytes, next)
        }
    }

    private func append(_ line: [UInt8], to state: inout State) {
        state.lines.append(line)
        if state.lines.count > linesMax {
            state.lines.removeFirst()
            state.dropped += 1
        }
        if file != nil { state.unwritten += line }
    }
}
