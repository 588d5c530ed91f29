import Events
import PostgresClient
import TestSupport
import Testing

@testable import Ledger

@Suite("Runs of applications", .timeLimit(.minutes(10))) struct ApplicationRunTests {
    private func created(_ test: TestLedger, _ name: String = "orders/1") async throws -> RunID {
        let id = try #require(RunID(name))
        let (run, isNew) = try await test.ledger.createRun(RunCreation(id: id, kind: "order"))
        #expect(isNew && run.id == id && run.state == .started && run.lastSeq == 0)
        return id
    }

    private func event(_ number: Int, key: String = "", sequence: Int64? = nil, dedup: String = "") -> ApplicationEvent {
        ApplicationEvent(type: "t.a", key: key, keySequence: sequence, dedupKey: dedup, payload: Array("{\"n\":\(number)}".utf8))
    }

    private func log(_ test: TestLedger, _ run: RunID) async throws -> [Events.LogEvent] {
        try await test.ledger.events(run: run, after: 0, limit: 10_000, maxBytes: 1 << 24)
    }

    @Test func `what is appended stands in the log with its type, key, sequence and payload`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        let done = try await test.ledger.append([event(1), event(2, key: "k"), event(3, key: "k", sequence: 9)], to: run, expectedSeq: 0)
        #expect(done.seqs == [1, 2, 3] && done.appended == 3 && done.lastSeq == 3)
        let events = try await log(test, run)
        #expect(events.map(\.kind) == [.event, .event, .event])
        #expect(events.map(\.keySequence) == [nil, 1, 9] && events.map(\.key) == ["", "k", "k"] && events.map(\.type) == ["t.a", "t.a", "t.a"])
        #expect(events.map { String(decoding: $0.body, as: UTF8.self) } == [#"{"n":1}"#, #"{"n":2}"#, #"{"n":3}"#])
        #expect(events[0].loggedAt == done.loggedAt)
        #expect(try await test.number("SELECT tail_seq FROM run_outbox JOIN runs ON no = run WHERE id = 'orders/1'") == 3)
        try await test.end()
    }

    @Test func `appenders at once make one contiguous log, and each knows its own seqs`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        let said = try await withThrowingTaskGroup(of: [(Int, Int64)].self) { group in
            for writer in 0..<4 {
                group.addTask {
                    var said: [(Int, Int64)] = []
                    for batch in 0..<12 {
                        let numbers = (0...batch % 3).map { 1000 * writer + 10 * batch + $0 }
                        let done = try await test.ledger.append(numbers.map { event($0, key: "w\(writer)") }, to: run)
                        said += zip(numbers, done.seqs)
                    }
                    return said
                }
            }
            return try await group.reduce(into: [], +=)
        }
        let events = try await log(test, run)
        #expect(events.map(\.seq) == Array(1...Int64(said.count)))
        for (number, seq) in said { #expect(events[Int(seq) - 1].body == Array("{\"n\":\(number)}".utf8)) }
        for writer in 0..<4 { #expect(events.filter { $0.key == "w\(writer)" }.compactMap(\.keySequence) == Array(1...24)) }
        try await test.end()
    }

    @Test func `one of two that expect the same seq appends, the other is told the run's last one`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        let outcomes = try await withThrowingTaskGroup(of: LedgerError?.self) { group in
            for number in 0..<4 {
                group.addTask { await failure { _ = try await test.ledger.append([event(number)], to: run, expectedSeq: 0) } }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == nil }.count == 1)
        #expect(outcomes.compactMap { $0?.refusal } == Array(repeating: RunRefusal.conflict(lastSeq: 1), count: 3))
        #expect(try await log(test, run).count == 1)
        try await test.end()
    }

    @Test func `a dedup key is answered with its seq, across batches, in one batch, among new ones, and by appenders at once`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        #expect(try await test.ledger.append([event(1, dedup: "a"), event(2), event(3, dedup: "a")], to: run).seqs == [1, 2, 1])
        let mixed = try await test.ledger.append([event(4), event(5, dedup: "a"), event(6, dedup: "b")], to: run)
        #expect(mixed.seqs == [3, 1, 4] && mixed.appended == 2)
        let repeated = try await test.ledger.append([event(7, dedup: "b"), event(8, dedup: "a")], to: run, expectedSeq: 0)
        #expect(repeated.seqs == [4, 1] && repeated.appended == 0 && repeated.lastSeq == 4)

        let said = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for writer in 0..<6 {
                group.addTask {
                    // Overlapping, in different orders.
                    let keys = (0..<20).map { "k\(($0 * 7 + writer) % 20)" }
                    let done = try await test.ledger.append(keys.map { event(writer, dedup: $0) }, to: run)
                    return (0..<20).map { key in done.seqs[keys.firstIndex(of: "k\(key)") ?? 0] }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(said).count == 1, "each key has one seq, whoever asks")
        #expect(Set(said[0]) == Set(5...24))
        #expect(try await log(test, run).count == 24)
        #expect(try await test.number("SELECT count(*) FROM run_dedup") == 22)
        try await test.end()
    }

    @Test func `a key sequence that does not grow is refused with its place, and nothing of the append is written`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        _ = try await test.ledger.append([event(1, key: "k", sequence: 5)], to: run)
        let error = await failure { _ = try await test.ledger.append([event(2, dedup: "x"), event(3, key: "k", sequence: 5)], to: run) }
        #expect(error?.code == .refused && error?.refusal == .regressing(index: 1, last: 5))
        #expect(try await log(test, run).count == 1)
        #expect(try await test.number("SELECT count(*) FROM run_dedup") == 0)
        #expect(try await test.ledger.append([event(4, key: "k", sequence: .max)], to: run).seqs == [2])
        #expect(await failure { _ = try await test.ledger.append([event(5, key: "k")], to: run) }?.refusal == .regressing(index: 0, last: .max))
        try await test.end()
    }

    @Test func `an append that the server refuses in the middle leaves no hole and no key`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        _ = try await test.ledger.append([event(1)], to: run)
        // Postgres takes no such byte, and says so in mid-COPY: behind the run's row, the dedup keys and the keys.
        var bad = event(2, key: "k", dedup: "d")
        bad.payload = [0x22, 0x00, 0x22]
        let error = await failure { _ = try await test.ledger.append([event(3, dedup: "e"), bad], to: run) }
        #expect(error != nil && error?.code != .refused, "\(String(describing: error))")
        #expect(try await test.ledger.run(run)?.lastSeq == 1)
        #expect(try await test.ledger.append([event(4, key: "k", dedup: "d")], to: run).seqs == [2])
        let events = try await log(test, run)
        #expect(events.map(\.seq) == [1, 2] && events[1].keySequence == 1)
        try await test.end()
    }

    @Test func `a run that ends while an append waits for it takes nothing after its terminal event`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        let outcome = try await test.pool.transaction { connection in
            _ = try await connection.query("SELECT no FROM runs WHERE id = 'orders/1' FOR UPDATE")
            let backend = await connection.backendID
            async let waiting = failure { _ = try await test.ledger.append([event(1)], to: run) }
            let blocked = try await test.waitUntilBlocked(by: backend)
            #expect(blocked)
            _ = try await connection.query("UPDATE runs SET state = 'finished' WHERE id = 'orders/1'")
            try await connection.execute("COMMIT; BEGIN")
            return await waiting
        }
        #expect(outcome?.code == .runEnded && outcome?.refusal == .ended(.finished))
        try await test.end()
    }

    @Test func `whoever ends a run among appenders has the last word, and each of them knows whether it was in time`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        let seqs = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for writer in 0..<4 {
                group.addTask {
                    var seqs: [Int64] = []
                    do throws(LedgerError) {
                        for number in 0..<200 {
                            seqs += try await test.ledger.append([event(1000 * writer + number)], to: run).seqs
                            if writer == 0, number == 9 { _ = try await test.ledger.endRun(run, state: .failed, reason: nil, by: "") }
                        }
                    } catch {
                        #expect(error.refusal == .ended(.failed))
                    }
                    return seqs
                }
            }
            return try await group.reduce(into: [], +=)
        }
        let events = try await log(test, run)
        #expect(events.map(\.seq) == Array(1...Int64(seqs.count) + 1), "nobody was told of an event that is not there, or not of one that is")
        #expect(events.map(\.kind) == Array(repeating: .event, count: seqs.count) + [.terminal])
        try await test.end()
    }

    @Test func `an append whose connection ends in the middle leaves nothing, and may be sent again`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        let outcome = try await test.pool.transaction { connection in
            _ = try await connection.query("SELECT no FROM runs WHERE id = 'orders/1' FOR UPDATE")
            let backend = await connection.backendID
            async let waiting = failure { _ = try await test.ledger.append([event(1, key: "k", dedup: "d")], to: run) }
            let blocked = try await test.waitUntilBlocked(by: backend)
            #expect(blocked)
            let ended = try await test.number(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE \(backend) = ANY (pg_blocking_pids(pid))")
            #expect(ended == 1)
            return await waiting
        }
        #expect(outcome?.code == .unavailable, "\(String(describing: outcome))")
        #expect(try await log(test, run).isEmpty)
        #expect(try await test.ledger.append([event(1, key: "k", dedup: "d")], to: run).seqs == [1])
        try await test.end()
    }

    @Test func `finishing and cancelling are told once, with their reason, and may be repeated`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        _ = try await test.ledger.append([event(1, dedup: "a")], to: run)
        #expect(
            await failure { _ = try await test.ledger.endRun(run, state: .finished, reason: nil, by: "x", expectedSeq: 7) }?.refusal
                == .conflict(lastSeq: 1))
        let ending = try await test.ledger.endRun(run, state: .cancelled, reason: "the \"upstream\" is gone", by: "ops")
        #expect(ending == RunEnding(state: .cancelled, seq: 2, isNew: true))
        #expect(
            try await test.ledger.endRun(run, state: .cancelled, reason: "again", by: "ops") == RunEnding(state: .cancelled, seq: 2, isNew: false))
        #expect(await failure { _ = try await test.ledger.endRun(run, state: .finished, reason: nil, by: "") }?.refusal == .ended(.cancelled))
        #expect(await failure { _ = try await test.ledger.append([event(2)], to: run) }?.refusal == .ended(.cancelled))
        #expect(try await test.ledger.append([event(3, dedup: "a")], to: run).seqs == [1], "a repeat is answered also behind the end")
        let events = try await log(test, run)
        #expect(events.last?.kind == .terminal)
        #expect(events.last.map { String(decoding: $0.body, as: UTF8.self) } == #"{"state":"cancelled","reason":"the \"upstream\" is gone"}"#)
        let details = try #require(try await test.ledger.details(of: [run])[run])
        #expect(details.endReason == "the \"upstream\" is gone" && details.endedBy == "ops")
        let nobody = try #require(RunID("nobody"))
        #expect(await failure { _ = try await test.ledger.append([event(1)], to: nobody) }?.refusal == .unknown)
        #expect(await failure { _ = try await test.ledger.endRun(nobody, state: .finished, reason: nil, by: "") }?.refusal == .unknown)
        try await test.end()
    }

    @Test func `a creation that is repeated with its idempotency key finds the first one's run, also at once`() async throws {
        let test = try await TestLedger.make()
        var creation = RunCreation(
            generatedPrefix: "acme/", kind: "order", metadata: Array(#"{"b": 1, "a": "é"}"#.utf8), idempotencyKey: "i1", owner: "acme")
        let wanted = creation
        let made = try await withThrowingTaskGroup(of: (RunID, Bool).self) { group in
            for _ in 0..<5 {
                group.addTask {
                    let (run, isNew) = try await test.ledger.createRun(wanted)
                    return (run.id, isNew)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(made.map(\.0)).count == 1 && made.filter(\.1).count == 1)
        let id = made[0].0
        #expect(id.description.hasPrefix("acme/") && id.description.count == 41)
        creation.metadata = Array(#"{"a":"é","b":1}"#.utf8)
        #expect(try await test.ledger.createRun(creation).run.id == id, "the order of members says nothing")
        creation.kind = "other"
        #expect(await failure { _ = try await test.ledger.createRun(creation) }?.refusal == .differs(id))
        creation.owner = "zeta"
        let other = try await test.ledger.createRun(creation)
        #expect(other.isNew && other.run.id != id, "another owner's keys are others")
        #expect(await failure { _ = try await test.ledger.createRun(RunCreation(id: id, kind: "order")) }?.refusal == .exists)
        #expect(try await test.ledger.details(of: [id])[id].map { String(decoding: $0.metadata, as: UTF8.self) } == #"{"a": "é", "b": 1}"#)
        let listed = try await test.ledger.runs(state: nil, kind: nil, prefixes: ["acme/"], after: nil, limit: 10)
        #expect(Set(listed.map(\.id)) == [id, other.run.id])
        #expect(try await test.ledger.runs(state: nil, kind: "other", prefixes: ["zeta/", "acm"], after: nil, limit: 10).map(\.id) == [other.run.id])
        try await test.end()
    }

    @Test func `more than a run takes at once is refused before anything is asked`() async throws {
        let test = try await TestLedger.make()
        let run = try await created(test)
        let many = Array(repeating: event(1), count: ApplicationEvent.appendMax + 1)
        for events in [[], many, [ApplicationEvent(type: "t", payload: [UInt8](repeating: 0x31, count: ApplicationEvent.payloadBytesMax + 1))]] {
            guard case .tooLarge = await failure(of: { _ = try await test.ledger.append(events, to: run) })?.refusal else {
                Issue.record("\(events.count) events were taken")
                continue
            }
        }
        #expect(try await test.ledger.append(Array(many.dropFirst()), to: run).lastSeq == Int64(ApplicationEvent.appendMax))
        try await test.end()
    }
}
