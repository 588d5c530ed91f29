import Events
import Foundation
import NIOHTTP1
import PostgresClient
import RedisClient
import TestSupport
import Testing

@testable import Ledger
@testable import Outbox

/// Targets that need more than an address: a Redis of their own, a certificate, a standard output.
@Suite(.timeLimit(.minutes(10))) struct SinkTargetsTests {
    @Test("a Redis stream with an address of its own goes there, also after that Redis was away, and nothing of it to Weir's Redis")
    func otherRedis() async throws {
        let other = try await PrivateRedis.start(appendOnly: true)
        let client = RedisClient(try RedisConfiguration(url: other.url), logger: SharedServers.quietLogger)
        try await SinkLab.with { lab in
            let stream = lab.stores.keys.outlet(run: .firehose(0)) + ":other"
            let sink = try await lab.add("stream", ["kind": "redis", "url": other.url, "stream": stream, "timeout": "1s"])
            try await lab.append("app/1", 20)
            try await lab.running([lab.service("a")]) {
                try await lab.waitUntilDelivered(sink)
                await other.kill()
                try await lab.append("app/1", 20)
                try await lab.reached("it backs off") { try await lab.ledger.sinkProgress([sink])[sink]?.error != nil }
                try await other.start()
                try await lab.waitUntilDelivered(sink)
            }
            let entries = try await client.send(RedisCommand("XRANGE", .string(stream), "-", "+")).array()
            let seqs = try entries.map { try $0.array()[1].array()[3].string() }
            #expect(seqs == (1...40).map(String.init))
            #expect(try await lab.stores.redis.send(RedisCommand("EXISTS", .string(stream))).integer() == 0)
        }
        await client.shutDown()
        await other.stop()
    }

    @Test("a webhook whose certificate nobody vouches for is refused in clear words and gets nothing; with the authority's file it gets everything")
    func certificate() async throws {
        let certificate = try await TestCertificate.make()
        try await SinkLab.with { lab in
            try await WebhookReceiver.with(certificate: certificate) { receiver in
                let settings = ["kind": "webhook", "url": receiver.url, "breaker.failures": "2"]
                let strange = try await lab.add("strange", settings)
                let known = try await lab.add("known", settings.merging(["ca_file": certificate.authorityPath]) { $1 })
                try await lab.append("app/1", 30)
                try await lab.running([lab.service("a")]) {
                    try await lab.waitUntilDelivered(known)
                    try await lab.reached("backing off, and why") {
                        let report = try await lab.consumers(strange).first?.report
                        return report?.state == "backing_off" && report?.error?.contains("its certificate is not trusted") == true
                    }
                }
                #expect(receiver.taken["app/1"] == Array(1...30))
                #expect(receiver.calls.allSatisfy { $0.headers.first(name: "Idempotency-Key")?.hasPrefix("known/") == true })
            }
        }
    }

    @Test("a sink that this worker cannot run says so with its reason from its heartbeat on, the others run, and it runs once it can")
    func cannotRun() async throws {
        let certificate = try await TestCertificate.make()
        try await SinkLab.with { lab in
            let file = lab.folder + "/authority.pem"
            try await WebhookReceiver.with(certificate: certificate) { receiver in
                let settings = ["kind": "webhook", "url": receiver.url, "ca_file": file]
                let sink = try await lab.add("hook", settings)
                let other = try await lab.add("file", ["kind": "file", "path": "f"])
                let gone = try await lab.add("gone", settings)
                try await lab.append("app/1", 10)
                try await lab.running([lab.service("a")]) {
                    try await lab.reached("it says so") {
                        let report = try await lab.consumers(sink).first?.report
                        return report?.state == "cannot_run" && report?.error?.contains("ca_file: no certificates can be read of \(file)") == true
                    }
                    try await lab.waitUntilDelivered(other)
                    let since = try await lab.consumers(sink).first?.report.since
                    let beat = try await lab.consumers(sink).first?.heartbeatAt
                    try await lab.reached("it says so again") { try await lab.consumers(sink).first?.heartbeatAt != beat }
                    #expect(try await lab.consumers(sink).first?.report.since == since)
                    #expect(try await lab.ledger.removeSink(gone))
                    try FileManager.default.copyItem(atPath: certificate.authorityPath, toPath: file)
                    try await lab.waitUntilDelivered(sink)
                    try await lab.reached("it is well") { try await lab.consumers(sink).first?.report.state == "healthy" }
                    try await lab.reached("nobody speaks of what was removed") {
                        try await lab.ledger.pool.query("SELECT FROM sink_consumers WHERE sink = 'gone'").isEmpty
                    }
                }
                #expect(receiver.taken["app/1"] == Array(1...10))
            }
        }
    }

    @Test("what goes to a standard output is a line each event, whole, in order, and in the form of the sink")
    func standardOutput() async throws {
        let pipe = try ownPipe()
        let writer = FileWriter(destination: .descriptor(pipe.writing.fileDescriptor))
        let name = try #require(SinkName("out"))
        let events = (1...3).map { LogEvent(run: .firehose(0), seq: Int64($0), kind: .record, did: "d\($0)", body: Array("{\n\"n\":\($0)}".utf8)) }
        for event in events {
            let bytes = try #require(EventFormat.weir.render(event))
            let item = SinkBatch.Item(event: event, bytes: bytes)
            try await writer.deliver(SinkBatch(sink: name, run: .firehose(0), epoch: 0, items: [item], from: event.seq, through: event.seq))
        }
        await writer.close()
        try pipe.writing.close()
        let lines = String(decoding: pipe.reading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3)
        for (index, line) in lines.enumerated() { #expect(line.contains("\"seq\":\(index + 1)") && line.contains("\"did\":\"d\(index + 1)\"")) }
    }

    @Test("a standard output that nobody reads any more is a failure of the target, told as such")
    func closedOutput() async throws {
        // As in every process of Weir, and in this one from its first connection on.
        signal(SIGPIPE, SIG_IGN)
        let pipe = try ownPipe()
        try pipe.reading.close()
        let writer = FileWriter(destination: .descriptor(pipe.writing.fileDescriptor))
        let event = LogEvent(run: .firehose(0), seq: 1, kind: .record, did: "d")
        let batch = SinkBatch(
            sink: try #require(SinkName("out")), run: .firehose(0), epoch: 0, items: [SinkBatch.Item(event: event, bytes: [0x31])], from: 1,
            through: 1)
        let error = await #expect(throws: DeliveryError.self) { try await writer.deliver(batch) }
        #expect(error?.code == .transient(retryAfter: nil) && error?.description.contains("cannot write standard output") == true)
    }

    /// A pipe whose ends no child of this process has: servers that other tests start would keep Foundation's open, and its reader waiting for an end.
    private func ownPipe() throws -> (reading: FileHandle, writing: FileHandle) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { try #require(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
        return (FileHandle(fileDescriptor: ends[0], closeOnDealloc: true), FileHandle(fileDescriptor: ends[1], closeOnDealloc: true))
    }
}
