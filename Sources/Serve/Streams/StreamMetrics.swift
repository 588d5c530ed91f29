import Metrics
import NIOCore

/// What streams count.
struct StreamMetrics: Sendable {
    private let clients: Gauge
    private let opened: Counter
    private let events: Counter
    private let bytes: Counter
    private let gaps: Counter
    private let slow: Counter
    private let fromOutlet: Counter
    private let fromLog: Counter
    private let failures: Counter
    private let acks: Counter

    init(factory: any MetricsFactory) {
        clients = Gauge(label: "weir_stream_clients", dimensions: [], factory: factory)
        opened = Counter(label: "weir_streams_opened_total", dimensions: [], factory: factory)
        events = Counter(label: "weir_stream_events_total", dimensions: [], factory: factory)
        bytes = Counter(label: "weir_stream_bytes_total", dimensions: [], factory: factory)
        gaps = Counter(label: "weir_stream_gaps_total", dimensions: [], factory: factory)
        slow = Counter(label: "weir_stream_slow_closed_total", dimensions: [], factory: factory)
        fromOutlet = Counter(label: "weir_stream_reads_total", dimensions: [("source", "outlet")], factory: factory)
        fromLog = Counter(label: "weir_stream_reads_total", dimensions: [("source", "log")], factory: factory)
        failures = Counter(label: "weir_stream_read_failures_total", dimensions: [], factory: factory)
        acks = Counter(label: "weir_stream_acks_total", dimensions: [], factory: factory)
    }

    func open(now count: Int) {
        opened.increment()
        clients.record(count)
    }

    func closed(now count: Int) { clients.record(count) }
    func closedSlow() { slow.increment() }
    func acknowledged() { acks.increment() }
    func failed() { failures.increment() }

    func wrote(_ chunk: StreamChunk) {
        if chunk.events > 0 { events.increment(by: chunk.events) }
        if chunk.gaps > 0 { gaps.increment(by: chunk.gaps) }
        bytes.increment(by: chunk.bytes?.readableBytes ?? 0)
    }

    func read(_ step: LogReader.Step) { (step.source == .outlet ? fromOutlet : fromLog).increment() }
}
