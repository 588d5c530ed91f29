import Events
import TestSupport
import Testing

@testable import Flow

@Suite struct AppendPlanTests {
    private func event(_ key: String = "", _ sequence: Int64? = nil, dedup: String = "") -> ApplicationEvent {
        ApplicationEvent(type: "t", key: key, keySequence: sequence, dedupKey: dedup, payload: Array("1".utf8))
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `new events get the seqs behind the run's last one, repeated ones theirs`() throws {
        let known = AppendPlan.Known(isStarted: true, lastSeq: 7, dedupKeys: [bytes("old"): 3])
        let plan = try AppendPlan([event(), event(dedup: "old"), event(dedup: "new"), event(dedup: "new"), event()], known: known, expectedSeq: 7)
        #expect(plan.seqs == [8, 3, 9, 9, 10])
        #expect(plan.fresh.map(\.index) == [0, 2, 4])
        #expect(plan.dedupKeys == [bytes("new"): 9])
    }

    @Test func `an append that is repeated as a whole is answered also behind the end, and whatever it expects`() throws {
        let known = AppendPlan.Known(isStarted: false, lastSeq: 9, dedupKeys: [bytes("a"): 1, bytes("b"): 2])
        let plan = try AppendPlan([event(dedup: "a"), event(dedup: "b")], known: known, expectedSeq: 0)
        #expect(plan.seqs == [1, 2] && plan.fresh.isEmpty)
        #expect(throws: AppendPlan.Refusal.ended) { try AppendPlan([event(dedup: "a"), event(dedup: "c")], known: known, expectedSeq: nil) }
    }

    @Test func `a key's sequence only grows, and is given where it is left out`() throws {
        let known = AppendPlan.Known(isStarted: true, lastSeq: 0, keys: [bytes("a"): 5])
        let plan = try AppendPlan([event("a"), event("b"), event("a", 9), event("a"), event()], known: known, expectedSeq: nil)
        #expect(plan.fresh.map(\.keySequence) == [6, 1, 9, 10, nil])
        #expect(plan.keyHeads[bytes("a")] == AppendPlan.KeyHead(key: bytes("a"), sequence: 10, seq: 4))
        #expect(throws: AppendPlan.Refusal.regressing(index: 0, last: 5)) { try AppendPlan([event("a", 5)], known: known, expectedSeq: nil) }
        #expect(throws: AppendPlan.Refusal.regressing(index: 1, last: 9)) {
            try AppendPlan([event("a", 9), event("a", 8)], known: known, expectedSeq: nil)
        }
        let full = AppendPlan.Known(isStarted: true, lastSeq: 0, keys: [bytes("a"): .max])
        #expect(throws: AppendPlan.Refusal.regressing(index: 0, last: .max)) { try AppendPlan([event("a")], known: full, expectedSeq: nil) }
    }

    @Test func `keys that look alike are not one key`() throws {
        let plan = try AppendPlan(
            [event("e\u{301}", 2), event("\u{E9}", 1), event(dedup: "e\u{301}"), event(dedup: "\u{E9}")],
            known: AppendPlan.Known(isStarted: true, lastSeq: 0), expectedSeq: nil)
        #expect(plan.seqs == [1, 2, 3, 4] && plan.keyHeads.count == 2 && plan.dedupKeys.count == 2)
    }

    @Test func `another last seq than was expected is a conflict`() {
        let known = AppendPlan.Known(isStarted: true, lastSeq: 4)
        #expect(throws: AppendPlan.Refusal.conflict(lastSeq: 4)) { try AppendPlan([event()], known: known, expectedSeq: 3) }
    }

    private enum Step: Sendable {
        case append([ApplicationEvent], expectedSeq: Int64?)
        case end
    }

    @Test func `through random histories of appends the plan says what looking through the whole log says`() {
        Histories.check("appends to a run", 2_000) { random in
            var number = 0
            let steps = (0..<random.number(1...12)).map { _ -> Step in
                if random.once(in: 20) { return .end }
                let events = (0..<random.number(1...6)).map { _ -> ApplicationEvent in
                    number += 1
                    return ApplicationEvent.random(&random, number: number)
                }
                return .append(events, expectedSeq: random.once(in: 4) ? Int64(random.number(0...number)) : nil)
            }
            return ((), steps)
        } run: { (_: Void, steps: [Step]) in
            var model = ModelRun()
            var known = AppendPlan.Known(isStarted: true, lastSeq: 0)
            for step in steps {
                guard case .append(let events, let expectedSeq) = step else {
                    if !model.isEnded { known.lastSeq += 1 }
                    model.end()
                    known.isStarted = false
                    continue
                }
                let (said, wanted) = (Self.append(events, expectedSeq, &known), model.append(events, expectedSeq: expectedSeq))
                if said != wanted { return "\(said) where the log says \(wanted)" }
                if known.lastSeq != model.lastSeq { return "last seq \(known.lastSeq), the log's \(model.lastSeq)" }
            }
            return nil
        }
    }

    /// Keeps what the plan changes, as the ledger does.
    private static func append(_ events: [ApplicationEvent], _ expectedSeq: Int64?, _ known: inout AppendPlan.Known) -> ModelRun.Outcome {
        do throws(AppendPlan.Refusal) {
            let plan = try AppendPlan(events, known: known, expectedSeq: expectedSeq)
            known.lastSeq += Int64(plan.fresh.count)
            known.dedupKeys.merge(plan.dedupKeys) { _, new in new }
            for head in plan.keyHeads.values { known.keys[head.key] = head.sequence }
            return .seqs(plan.seqs)
        } catch {
            switch error {
            case .ended: return .ended
            case .conflict(let lastSeq): return .conflict(lastSeq: lastSeq)
            case .regressing(let index, let last): return .regressing(index: index, last: last)
            }
        }
    }
}
