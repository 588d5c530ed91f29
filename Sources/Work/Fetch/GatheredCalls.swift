/// Makes one call of what many tasks ask for at the same time: while a call is under way, what is asked gathers, and the next call takes all of it.
///
/// Nobody waits for company: where nothing is under way, a call goes out at once with what is there. One of those that wait makes the call for all; they
/// all get its error, so a cancelled task ends the call of the others too: for tasks that are cancelled together. Bounded by the callers, one place each.
actor GatheredCalls<Input: Sendable, Output: Sendable> {
    private enum Turn: Sendable {
        case result(Output)
        /// It is this one's turn to make the call.
        case lead
    }

    private struct Waiting {
        var input: Input
        var continuation: CheckedContinuation<Turn, any Error>
    }

    private let max: Int
    /// One output for each input, in their order.
    private let call: @Sendable ([Input]) async throws -> [Output]
    private var isUnderWay = false
    private var waiting: [Waiting] = []
    /// For tests.
    var waitingCount: Int { waiting.count }

    /// - Parameter max: inputs of one call.
    init(max: Int, _ call: @escaping @Sendable ([Input]) async throws -> [Output]) {
        self.max = Swift.max(1, max)
        self.call = call
    }

    func callAsFunction(_ input: Input) async throws -> Output {
        if isUnderWay {
            let turn = try await withCheckedThrowingContinuation { waiting.append(Waiting(input: input, continuation: $0)) }
            if case .result(let output) = turn { return output }
        }
        isUnderWay = true
        let others = Array(waiting.prefix(max - 1))
        waiting.removeFirst(others.count)
        defer { handOver() }
        do {
            let outputs = try await call([input] + others.map(\.input))
            precondition(outputs.count == others.count + 1, "a gathered call answered \(outputs.count) of \(others.count + 1)")
            for (other, output) in zip(others, outputs.dropFirst()) { other.continuation.resume(returning: .result(output)) }
            return outputs[0]
        } catch {
            for other in others { other.continuation.resume(throwing: error) }
            throw error
        }
    }

    /// The longest waiting makes the next call. `isUnderWay` stays, so that nobody who comes meanwhile goes first.
    private func handOver() {
        guard !waiting.isEmpty else {
            isUnderWay = false
            return
        }
        waiting.removeFirst().continuation.resume(returning: .lead)
    }
}
