import Crypto
import Events
import Hosts
import NIOHTTP1
import RedisClient
import TestSupport
import Testing

@testable import Ledger
@testable import Outbox

@Suite(.timeLimit(.minutes(10))) struct WebhookTests {
    private func settings(_ receiver: WebhookReceiver, _ more: [String: String] = [:]) -> [String: String] {
        ["kind": "webhook", "url": receiver.url, "batch.events": "10"].merging(more) { $1 }
    }

    /// Of what came, each event once, in order; what came again came as a whole batch or in part, never out of order.
    private func check(_ lab: SinkLab, _ receiver: WebhookReceiver, repeats: Bool) async throws {
        let taken = receiver.taken
        for (run, events) in try await lab.log() {
            let seqs = taken[run.description] ?? []
            var last: Int64 = 0
            for seq in seqs {
                #expect(seq <= last + 1, "\(run) jumps from \(last) to \(seq)")
                last = max(last, seq)
            }
            #expect(last == events.last?.seq ?? 0)
            if !repeats { #expect(seqs == events.map(\.seq)) }
        }
    }

    @Test("each event comes once, in order within a run, several runs at the same time, signed and with a key")
    func delivers() async throws {
        try await SinkLab.with { lab in
            // The first call is answered when another run's has come.
            try await WebhookReceiver.with({ _, number in number == 0 ? .late : .status(200) }) { receiver in
                for number in 0..<6 { try await lab.append("app/\(number)", 35, ends: true) }
                let sink = try await lab.add("hook", settings(receiver, ["secret": "0123456789abcdef"]))
                try await lab.running([lab.service("a"), lab.service("b")]) {
                    try await lab.reached("two runs at once") { receiver.calls.count > 1 }
                    receiver.letGo()
                    try await lab.waitUntilDelivered(sink)
                }
                try await check(lab, receiver, repeats: false)
                #expect(receiver.mostAtOnce == 1 && receiver.mostRuns > 1)
                let key = SymmetricKey(data: Array("0123456789abcdef".utf8))
                for call in receiver.calls {
                    let timestamp = try #require(call.headers.first(name: "Weir-Timestamp"))
                    #expect(call.headers.first(name: "Weir-Signature") == WebhookWriter.signature(call.body, timestamp: timestamp, key: key))
                    let (first, last) = (try #require(call.seqs.first), try #require(call.seqs.last))
                    #expect(call.headers.first(name: "Idempotency-Key") == "hook/\(call.run)/\(first)-\(last)")
                    #expect(call.seqs.count <= 10)
                }
            }
        }
    }

    @Test("the signature is HMAC-SHA256 over the timestamp, a full stop and the body")
    func signature() {
        // openssl: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let key = SymmetricKey(data: Array("0123456789abcdef".utf8))
        let expected = "v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23"
        #expect(WebhookWriter.signature(Array(#"{"a":1}"#.utf8), timestamp: "1700000000", key: key) == expected)
    }

    @Test(
        "what an answer means",
        arguments: [
            (200, "taken"), (204, "taken"), (301, "later"), (302, "later"), (308, "later"), (400, "poison"), (401, "later"), (403, "later"),
            (404, "later"),
            (405, "poison"), (408, "later"), (409, "poison"), (410, "later"), (413, "poison"), (422, "poison"), (429, "later"), (500, "later"),
            (503, "later"),
        ])
    func answers(_ status: Int, _ meaning: String) throws {
        let error = WebhookWriter.error(HostPost.Answer(status: status, retryAfter: .seconds(7), excerpt: "why"))
        guard let error else { return #expect(meaning == "taken") }
        switch error.code {
        case .poison: #expect(meaning == "poison")
        case .transient(let after): #expect(meaning == "later" && after == .seconds(7))
        case .cancelled: #expect(Bool(false))
        }
    }

    @Test("a server that fails, hangs, answers late, hangs up and dies behind its answer gets every event in order all the same")
    func faults() async throws {
        try await SinkLab.with { lab in
            try await WebhookReceiver.with({ _, number in
                switch number % 6 {
                case 0: .status(500)
                case 1: .hang
                case 2: .close
                case 3: .statusThenClose(200)
                case 4: .status(429, headers: [("retry-after", "0")])
                default: .status(200)
                }
            }) { receiver in
                for number in 0..<3 { try await lab.append("app/\(number)", 30, ends: true) }
                let sink = try await lab.add(
                    "hook", settings(receiver, ["timeout": "200ms", "breaker.failures": "3", "breaker.recovery": "20ms", "retry.cap": "20ms"]))
                try await lab.running([lab.service("a")]) { try await lab.waitUntilDelivered(sink) }
                try await check(lab, receiver, repeats: true)
                // Each kind of trouble came.
                #expect(receiver.calls.count > 6)
            }
        }
    }

    @Test("an answer that comes too late does not count, the events come again, and what the late one took is not told twice as delivered")
    func late() async throws {
        try await SinkLab.with { lab in
            try await WebhookReceiver.with({ _, number in number == 0 ? .late : .status(200) }) { receiver in
                try await lab.append("app/1", 5)
                let sink = try await lab.add("hook", settings(receiver, ["timeout": "200ms"]))
                try await lab.running([lab.service("a")]) {
                    try await lab.waitUntilDelivered(sink)
                    receiver.letGo()
                    try await lab.append("app/1", 5)
                    try await lab.waitUntilDelivered(sink)
                }
                #expect(receiver.calls.map(\.seqs) == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])
                let keys = receiver.calls.map { $0.headers.first(name: "Idempotency-Key") }
                #expect(keys[0] == keys[1] && keys[1] != keys[2])
            }
        }
    }

    @Test("a poison event is found in its batch; under dead-letter it is laid aside and the run goes on, and requeued it is delivered")
    func deadLetter() async throws {
        try await SinkLab.with { lab in
            let isMended = Flag()
            try await WebhookReceiver.with({ call, _ in call.seqs.contains(13) && !isMended.isSet ? .status(422) : .status(200) }) { receiver in
                let run = try await lab.append("app/1", 30)
                let sink = try await lab.add("hook", settings(receiver, ["policy": "dead-letter", "attempts": "2"]))
                try await lab.running([lab.service("a")]) {
                    try await lab.waitUntilDelivered(sink)
                    #expect(receiver.taken["app/1"] == Array(1...12) + Array(14...30))
                    let letter = try #require(try await lab.ledger.deadLetters(sink: sink, withSkipped: false, before: nil, limit: 9).first)
                    #expect(letter.run == run && letter.seq == 13 && letter.state == .dead && letter.error.contains("422"))
                    // Still refused: it waits for an operator again.
                    #expect(try await lab.ledger.requeueLetter(letter.id))
                    try await lab.reached("refused again") { try await lab.ledger.deadLetter(letter.id)?.attempts == letter.attempts + 1 }
                    isMended.set()
                    #expect(try await lab.ledger.requeueLetter(letter.id))
                    try await lab.reached("delivered") { try await lab.ledger.deadLetter(letter.id) == nil }
                }
                #expect(receiver.taken["app/1"]?.last == 13)
            }
        }
    }

    @Test("under halt a poison event stops its run and no other; mended and requeued, the run goes on without a repeat or a hole")
    func halt() async throws {
        try await SinkLab.with { lab in
            let isMended = Flag()
            try await WebhookReceiver.with({ call, _ in
                call.run == "app/1" && call.seqs.contains(13) && !isMended.isSet ? .status(400) : .status(200)
            }) { receiver in
                let run = try await lab.append("app/1", 30)
                let well = try await lab.append("app/2", 30)
                let sink = try await lab.add("hook", settings(receiver, ["attempts": "2"]))
                try await lab.running([lab.service("a")]) {
                    try await lab.reached("halted") { try await lab.ledger.sinkProgress([sink])[sink]?.haltedRuns == 1 }
                    try await lab.reached("the other is delivered") { try await lab.ledger.run(well)?.nextSeq["hook"] == 31 }
                    #expect(try await lab.ledger.run(run)?.nextSeq["hook"] == 13)
                    try await lab.reached("it says so") { try await lab.consumers(sink).first?.report.state == "halted" }
                    let letter = try #require(try await lab.ledger.deadLetters(sink: sink, withSkipped: false, before: nil, limit: 9).first)
                    #expect(letter.state == .halted && letter.seq == 13)
                    isMended.set()
                    #expect(try await lab.ledger.requeueLetter(letter.id))
                    try await lab.waitUntilDelivered(sink)
                    try await lab.reached("it is well") { try await lab.consumers(sink).first?.report.state == "healthy" }
                }
                try await check(lab, receiver, repeats: false)
            }
        }
    }

    @Test("a private address is refused unless it is allowed, and the refusal tries nothing")
    func privateAddress() async throws {
        try await WebhookReceiver.with { receiver in
            let target = try #require(SinkName("hook"))
            let settings = try SinkSettings([SinkSettings.Setting("kind", ["webhook"]), SinkSettings.Setting("url", [receiver.url])])
            let definition = try SinkDefinition(name: target, settings: settings)
            let writers = TargetWriters(
                redis: .init(try await SharedServers.redis()), postgresURL: nil, folder: "", allowsPrivateHosts: false, worker: WorkerID("t"),
                logger: SharedServers.quietLogger)
            let writer = try writers.writer(for: definition)
            let event = LogEvent(run: .firehose(0), seq: 1, kind: .record, did: "d")
            let batch = SinkBatch(
                sink: target, run: .firehose(0), epoch: 0, items: [SinkBatch.Item(event: event, bytes: [0x31])], from: 1, through: 1)
            let error = await #expect(throws: DeliveryError.self) { try await writer.deliver(batch) }
            #expect(error?.description.contains("refusedAddress") == true)
            await writer.close()
            #expect(receiver.calls.isEmpty)
        }
    }
}
