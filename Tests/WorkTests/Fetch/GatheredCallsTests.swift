import Testing

@testable import Work

@Suite("GatheredCalls")
struct GatheredCallsTests {
    /// Calls as they were made; each waits for its release.
    private actor Calls {
        private(set) var made: [[Int]] = []
        private var held: [CheckedContinuation<Void, any Error>] = []
        private var lookers: [(count: Int, CheckedContinuation<Void, Never>)] = []

        func make(_ inputs: [Int]) async throws -> [String] {
            made.append(inputs)
            lookers.filter { $0.count <= made.count }.forEach { $0.1.resume() }
            lookers.removeAll { $0.count <= made.count }
            try await withCheckedThrowingContinuation { held.append($0) }
            return inputs.map { "\($0)" }
        }

        func waitForCall(_ count: Int) async {
            if made.count >= count { return }
            await withCheckedContinuation { lookers.append((count, $0)) }
        }

        func release(_ result: Result<Void, any Error> = .success(())) { held.removeFirst().resume(with: result) }
    }

    private struct Broken: Error {}

    @Test("what is asked during a call goes into the next one, up to its bound, and each gets its own answer")
    func gathers() async throws {
        let calls = Calls()
        let gathered = GatheredCalls<Int, String>(max: 3) { try await calls.make($0) }
        try await withThrowingTaskGroup(of: (Int, String).self) { group in
            group.addTask { (0, try await gathered(0)) }
            await calls.waitForCall(1)
            for number in 1...5 {
                group.addTask { (number, try await gathered(number)) }
                await gathered.waitForWaiting(number)
            }
            for call in 1...3 {
                await calls.waitForCall(call)
                await calls.release()
            }
            for try await (number, answer) in group { #expect(answer == "\(number)") }
        }
        let made = await calls.made
        #expect(made.map(\.count) == [1, 3, 2])
        #expect(Set(made.joined()) == Set(0...5))
    }

    @Test("an error reaches all whose call it was, and nobody else")
    func errors() async throws {
        let calls = Calls()
        let gathered = GatheredCalls<Int, String>(max: 8) { try await calls.make($0) }
        await withTaskGroup(of: (Int, String?).self) { group in
            group.addTask { (0, try? await gathered(0)) }
            await calls.waitForCall(1)
            for number in 1...2 {
                group.addTask { (number, try? await gathered(number)) }
                await gathered.waitForWaiting(number)
            }
            await calls.release()
            await calls.waitForCall(2)
            group.addTask { (3, try? await gathered(3)) }
            await gathered.waitForWaiting(1)
            await calls.release(.failure(Broken()))
            await calls.waitForCall(3)
            await calls.release()
            for await (number, answer) in group { #expect(answer == (number == 0 || number == 3 ? "\(number)" : nil)) }
        }
    }
}

extension GatheredCalls {
    /// Until so many wait for the next call. Yields: who comes has to be let in.
    fileprivate func waitForWaiting(_ count: Int) async { while waitingCount < count { await Task.yield() } }
}
