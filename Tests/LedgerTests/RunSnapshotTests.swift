import Events
import PostgresClient
import TestSupport
import Testing

@testable import Ledger

@Suite("Snapshots of runs, and appends beside a model", .timeLimit(.minutes(10))) struct RunSnapshotTests {
    @Test func `random appends answer as looking through the whole log does, and the snapshot is its replay, page by page`() async throws {
        let test = try await TestLedger.make()
        let seed = TestSeed("appends to a ledger's run")
        for number in 0..<6 {
            var random = SeededGenerator(seed: seed.value &+ UInt64(number))
            let run = try #require(RunID("model/\(number)"))
            _ = try await test.ledger.createRun(RunCreation(id: run, kind: "model"))
            var model = ModelRun()
            var count = 0
            for _ in 0..<25 {
                let events = (0..<Int.random(in: 1...8, using: &random)).map { _ -> ApplicationEvent in
                    count += 1
                    return ApplicationEvent.random(&random, number: count)
                }
                let expectedSeq = Int.random(in: 0..<5, using: &random) == 0 ? Int64.random(in: 0...Int64(count), using: &random) : nil
                let said = try await append(events, expectedSeq, run, test)
                #expect(said == model.append(events, expectedSeq: expectedSeq), "\(seed), run \(number), \(events)")
            }
            let log = try await test.ledger.events(run: run, after: 0, limit: 1000, maxBytes: 1 << 24)
            #expect(log.map(\.seq) == model.log.map(\.seq) && log.map(\.keySequence) == model.log.map(\.keySequence), "\(seed)")
            #expect(try await pages(run, test, limit: 1000) == model.snapshot.map(\.seq), "\(seed)")
            for limit in [1, 3] { #expect(try await pages(run, test, limit: limit) == model.snapshot.map(\.seq), "\(seed), pages of \(limit)") }
        }
        try await test.end()
    }

    @Test func `a page ends at its bytes but holds one event at least, and one that retention dropped is left out`() async throws {
        let test = try await TestLedger.make()
        let run = try #require(RunID("orders/1"))
        #expect(try await test.ledger.snapshot(of: run, after: nil, limit: 10, maxBytes: 100) == nil)
        _ = try await test.ledger.createRun(RunCreation(id: run, kind: "order"))
        let empty = try #require(try await test.ledger.snapshot(of: run, after: nil, limit: 10, maxBytes: 100))
        #expect(empty == RunSnapshot(state: .started, lastSeq: 0, events: [], next: nil))
        let events = (1...5).map { ApplicationEvent(type: "t", key: "k\($0)", payload: [UInt8](repeating: 0x31, count: 100)) }
        _ = try await test.ledger.append(events + [ApplicationEvent(type: "t", payload: [0x31])], to: run)
        let first = try #require(try await test.ledger.snapshot(of: run, after: nil, limit: 10, maxBytes: 150))
        #expect(first.lastSeq == 6 && first.events.map(\.key) == ["k1", "k2"] && first.next?.key == "k2")
        let second = try #require(try await test.ledger.snapshot(of: run, after: first.next, limit: 10, maxBytes: 1))
        #expect(second.events.map(\.key) == ["k3"])
        try await test.pool.execute("DELETE FROM run_events WHERE seq IN (1, 5)")
        #expect(try await pages(run, test, limit: 1) == [2, 3, 4])
        try await test.end()
    }

    private func pages(_ run: RunID, _ test: TestLedger, limit: Int) async throws -> [Int64] {
        var seqs: [Int64] = []
        var place: RunSnapshot.Place?
        repeat {
            let page = try #require(try await test.ledger.snapshot(of: run, after: place, limit: limit, maxBytes: 1 << 20))
            seqs += page.events.map(\.seq)
            place = page.next
        } while place != nil
        return seqs
    }

    private func append(_ events: [ApplicationEvent], _ expectedSeq: Int64?, _ run: RunID, _ test: TestLedger) async throws -> ModelRun.Outcome {
        do {
            return .seqs(try await test.ledger.append(events, to: run, expectedSeq: expectedSeq).seqs)
        } catch {
            switch error.refusal {
            case .conflict(let lastSeq): return .conflict(lastSeq: lastSeq)
            case .regressing(let index, let last): return .regressing(index: index, last: last)
            default: throw error
            }
        }
    }
}
