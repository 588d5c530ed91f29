import Synchronization

/// What was appended to runs, as the answers to the appends said, and what clients received of it.
///
/// Each event has a number of its own in its payload; the terminal event has none.
final class RunRecord: Sendable {
    private struct State {
        /// Numbers by seq, of each run.
        var appended: [String: [Int64: Int64]] = [:]
        var received: [String: [Int64: Int64?]] = [:]
        var ends: [String: Int64] = [:]
        var complaints: [String] = []
        var nextNumber: Int64 = 1
        var deliveries = 0
        /// The highest seq that some client has, of each run.
        var furthest: [String: Int64] = [:]
        var waiting: [(run: String, seq: Int64, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// Numbers that no other event has.
    func numbers(_ count: Int) -> [Int64] {
        state.withLock { state in
            defer { state.nextNumber += Int64(count) }
            return Array(state.nextNumber..<state.nextNumber + Int64(count))
        }
    }

    /// An append was answered; one that is repeated is answered as before.
    func appended(_ numbers: [Int64], seqs: [Int64], to run: String) {
        state.withLock { state in
            if numbers.count != seqs.count { state.complaints.append("\(run): \(numbers.count) events got \(seqs.count) seqs") }
            for (number, seq) in zip(numbers, seqs) {
                if let other = state.appended[run]?[seq], other != number {
                    state.complaints.append("\(run): \(seq) is of \(other) and of \(number)")
                }
                state.appended[run, default: [:]][seq] = number
            }
        }
    }

    func ended(_ run: String, at seq: Int64) { state.withLock { $0.ends[run] = seq } }

    /// A client got an event. What it is can be compared with its append only later: the answer may still be under way.
    func received(_ number: Int64?, seq: Int64, of run: String, by client: String) {
        state.withLock { state in
            state.deliveries += 1
            if let other = state.received[run]?[seq], other != number {
                state.complaints.append(
                    "\(client): \(run) has \(String(describing: number)) at \(seq), another client got \(String(describing: other))")
            }
            state.received[run, default: [:]].updateValue(number, forKey: seq)
            state.furthest[run] = max(state.furthest[run] ?? 0, seq)
            state.waiting.removeAll { waiting in
                guard waiting.run == run, waiting.seq <= seq else { return false }
                waiting.continuation.resume()
                return true
            }
        }
    }

    /// Waits until some client has got that far; no longer than its task lives.
    func waitUntilReceived(_ seq: Int64, of run: String) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    if state.furthest[run] ?? 0 >= seq || Task.isCancelled {
                        continuation.resume()
                    } else {
                        state.waiting.append((run, seq, continuation))
                    }
                }
            }
        } onCancel: {
            state.withLock { state in
                for waiting in state.waiting { waiting.continuation.resume() }
                state.waiting = []
            }
        }
    }

    func complain(_ text: String) { state.withLock { $0.complaints.append(text) } }

    /// The highest seq that an append was answered with.
    func last(of run: String) -> Int64 { state.withLock { max($0.appended[run]?.keys.max() ?? 0, $0.ends[run] ?? 0) } }
    var complaints: [String] { state.withLock { $0.complaints } }
    var deliveries: Int { state.withLock { $0.deliveries } }
    var events: Int { state.withLock { $0.appended.values.reduce(0) { $0 + $1.count } } }

    /// Numbers of a run in order of seq, which must be contiguous; nil is the terminal event.
    func contents(of run: String) -> [Int64?] {
        state.withLock { state in
            var contents: [Int64?] = []
            for seq in 1...(max(state.appended[run]?.keys.max() ?? 0, state.ends[run] ?? 0)) {
                let number = state.appended[run]?[seq]
                if number == nil, state.ends[run] != seq { state.complaints.append("\(run): nobody was told of \(seq)") }
                contents.append(number)
            }
            return contents
        }
    }

    /// What clients received that is not what was appended.
    func differences(_ run: String) -> [String] {
        let contents = contents(of: run)
        return state.withLock { state in
            (state.received[run] ?? [:]).compactMap { seq, number in
                guard seq >= 1, seq <= contents.count else { return "\(run): a client got \(seq), which nobody appended" }
                return contents[Int(seq) - 1] == number ? nil : "\(run): a client got \(String(describing: number)) at \(seq)"
            }
        }
    }
}
