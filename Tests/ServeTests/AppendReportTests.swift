import Broker
import Events
import Logging
import NIOHTTP1
import Synchronization
import Testing

@testable import Serve

@Suite("What was appended is told", .timeLimit(.minutes(10))) struct AppendReportTests {
    /// Keeps what is logged with what stands beside it.
    private struct KeepingHandler: LogHandler {
        let continuation: AsyncStream<(String, Logger.Metadata)>.Continuation
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: Logging.LogEvent) { continuation.yield((event.message.description, event.metadata ?? [:])) }
    }

    private func expect(_ status: UInt, _ api: TestAPI, _ path: String, _ body: String) async throws {
        let reply = try await api.post(path, body)
        #expect(reply.status == status, "\(reply)")
    }

    @Test("appends and endings through the API are counted at once, as the pipeline's are, and told in a line each interval")
    func told() async throws {
        let (lines, continuation) = AsyncStream<(String, Logger.Metadata)>.makeStream()
        var configuration = TestAPI.configuration
        configuration.reportEvery = .seconds(3600)
        let logger = Logger(label: "test") { _ in KeepingHandler(continuation: continuation) }
        try await TestAPI.run(configuration, logger: logger) { api in
            for id in ["a/1", "a/2"] { try await expect(201, api, "/runs", #"{"kind":"k","id":"\#(id)"}"#) }
            try await expect(200, api, "/runs/a/1/events", #"[{"type":"t"},{"type":"t","dedup_key":"d"}]"#)
            try await expect(200, api, "/runs/a/1/events", #"[{"type":"t","dedup_key":"d"},{"type":"t"}]"#)
            try await expect(409, api, "/runs/a/1/events?expectedSeq=1", #"{"type":"t"}"#)
            try await expect(200, api, "/runs/a/2/finish", "{}")
            try await expect(200, api, "/runs/a/2/finish", "{}")
            #expect(String(decoding: api.metrics.text(), as: UTF8.self).contains("weir_events_inserted_total 4\n"))
        }
        // At the end of the process the rest is told.
        for await (message, metadata) in lines where message == "metric.events_inserted" {
            #expect(metadata["count"] == "4" && metadata["batches"] == "3" && metadata["repeated"] == "1" && metadata["runs"] == "2", "\(metadata)")
            #expect(metadata["lag_ms_max"].flatMap { Int("\($0)") } != nil)
            break
        }
    }

    @Test("there is a line each interval in which something was appended, and none in others")
    func intervals() async throws {
        let (lines, continuation) = AsyncStream<(String, Logger.Metadata)>.makeStream()
        let logger = Logger(label: "test") { _ in KeepingHandler(continuation: continuation) }
        let report = AppendReport(factory: PrometheusMetrics(), every: .milliseconds(10), logger: logger)
        report.report()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await report.run() }
            var iterator = lines.makeAsyncIterator()
            for count in 1...3 {
                report.appended(count, to: .firehose(1), since: .current)
                let line = await iterator.next()
                #expect(line?.0 == "metric.events_inserted" && line?.1["count"] == "\(count)", "\(String(describing: line))")
            }
            group.cancelAll()
        }
    }
}
