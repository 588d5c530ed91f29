/// When what was done of several streams is worth writing down: a checkpoint fires at least so many sequences behind the last one of *that* stream,
/// never goes back, and never passes a sequence that is missing.
///
/// Sequences of a stream may be told in any order and again. What lies behind a missing one is remembered by ranges, at most ``rangesMax`` a
/// stream; above that the farthest is forgotten and must be told again.
public struct Checkpoints<Stream: Hashable> {
    /// At least 1.
    public let every: Int64
    public static var rangesMax: Int { 4096 }
    private var streams: [Stream: State] = [:]

    private struct State {
        /// Everything up to here is done.
        var done: Int64
        /// The last checkpoint.
        var last: Int64
        /// Done above a missing one.
        var ahead = SequenceSet()
    }

    public init(every: Int64 = 1000) { self.every = max(1, every) }

    /// A stream of which everything up to `sequence` was done and written down before. One that is known already is only ever moved on.
    public mutating func begin(_ stream: Stream, at sequence: Int64) {
        var state = streams[stream] ?? State(done: sequence, last: sequence)
        state.last = max(state.last, sequence)
        state.done = max(state.done, sequence)
        Self.join(&state)
        streams[stream] = state
    }

    /// Takes what was done. A stream that was not begun begins with everything up to 0 done.
    ///
    /// - Returns: the checkpoint to write, where one is due.
    public mutating func done(_ stream: Stream, _ range: ClosedRange<Int64>) -> Int64? {
        var state = streams[stream] ?? State(done: 0, last: 0)
        if range.upperBound > state.done {
            state.ahead.insert(max(range.lowerBound, state.done == .max ? .max : state.done + 1)...range.upperBound)
            Self.join(&state)
            if state.ahead.ranges.count > Self.rangesMax { state.ahead.removeLast() }
        }
        defer { streams[stream] = state }
        // Both are at least the stream's beginning, and the difference of two sequences from 0 on is one.
        guard state.done - state.last >= every else { return nil }
        state.last = state.done
        return state.last
    }

    public mutating func done(_ stream: Stream, _ sequence: Int64) -> Int64? { done(stream, sequence...sequence) }

    /// The checkpoint that is to be written when a stream's work ends, however near the last one; nil where it stands there already.
    public mutating func end(_ stream: Stream) -> Int64? {
        guard var state = streams[stream], state.done > state.last else { return nil }
        state.last = state.done
        streams[stream] = state
        return state.last
    }

    /// The last checkpoint of a stream.
    public func last(of stream: Stream) -> Int64? { streams[stream]?.last }

    /// Everything of a stream up to here is done.
    public func frontier(of stream: Stream) -> Int64? { streams[stream]?.done }

    /// The first stretch of a stream that is missing while something behind it is done.
    public func gap(of stream: Stream) -> ClosedRange<Int64>? {
        guard let state = streams[stream], let next = state.ahead.ranges.first?.lowerBound else { return nil }
        return state.done + 1...next - 1
    }

    private static func join(_ state: inout State) {
        if state.done < .max, let end = state.ahead.end(ofStretchAt: state.done + 1) { state.done = end }
        state.ahead.removeThrough(state.done)
    }
}

extension Checkpoints: Sendable where Stream: Sendable {}
