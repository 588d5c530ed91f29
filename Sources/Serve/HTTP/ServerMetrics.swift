import Metrics

/// What a server counts.
struct ServerMetrics: Sendable {
    let factory: any MetricsFactory
    private let connections: Gauge
    private let refused: Counter

    init(factory: any MetricsFactory) {
        self.factory = factory
        connections = Gauge(label: "weir_http_connections", dimensions: [], factory: factory)
        refused = Counter(label: "weir_http_connections_refused_total", dimensions: [], factory: factory)
    }

    func connections(now count: Int) { connections.record(count) }
    func refusedConnection() { refused.increment() }

    /// By status only: a path is a client's text.
    func replied(_ status: UInt) {
        Counter(label: "weir_http_replies_total", dimensions: [("status", "\(status)")], factory: factory).increment()
    }
}
