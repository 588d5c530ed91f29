import Metrics
import Testing

@testable import Serve

@Suite struct PrometheusMetricsTests {
    private let metrics = PrometheusMetrics()
    private var text: String { String(decoding: metrics.text(), as: UTF8.self) }

    @Test("counters, gauges and histograms are written in order, with their types")
    func kinds() {
        Counter(label: "b.total", dimensions: [("z", "1"), ("a", "x\"y\n")], factory: metrics).increment(by: 3)
        Counter(label: "b.total", dimensions: [("z", "1"), ("a", "x\"y\n")], factory: metrics).increment(by: 4)
        Gauge(label: "a_gauge", dimensions: [], factory: metrics).record(2.5)
        let lag = Recorder(label: "c_ms", dimensions: [], aggregate: true, factory: metrics)
        lag.record(3)
        lag.record(700)
        lag.record(1_000_000)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(Array(lines.prefix(4)) == ["# TYPE a_gauge gauge", "a_gauge 2.5", "# TYPE b_total counter", #"b_total{a="x\"y\n",z="1"} 7"#])
        #expect(lines.contains("# TYPE c_ms histogram"))
        #expect(lines.contains(#"c_ms_bucket{le="5"} 1"#) && lines.contains(#"c_ms_bucket{le="1000"} 2"#))
        #expect(lines.contains(#"c_ms_bucket{le="+Inf"} 3"#) && lines.contains("c_ms_count 3") && lines.contains("c_ms_sum 1000703"))
    }

    @Test("a label's quotation marks are escaped whatever marks combine with them, and a label is bounded in scalars")
    func labels() {
        Counter(label: "marked", dimensions: [("a", "x\"\u{301}\\\u{301}\r\n")], factory: metrics).increment()
        #expect(text.contains("marked{a=\"x\\\"\u{301}\\\\\u{301}\\n\\n\"} 1"))
        Counter(label: "long", dimensions: [("a", "e" + String(repeating: "\u{301}", count: 10_000))], factory: metrics).increment()
        #expect(text.unicodeScalars.count < 1_000)
    }

    @Test("timers are in seconds")
    func timers() {
        Timer(label: "t_seconds", dimensions: [], factory: metrics).recordMilliseconds(20)
        #expect(text.contains(#"t_seconds_bucket{le="0.02"} 1"#))
        #expect(text.contains("t_seconds_sum 0.02"))
    }

    @Test("a name has a bounded number of label sets; what comes after is counted together")
    func bounded() {
        for index in 0..<(PrometheusMetrics.seriesMax + 50) {
            Counter(label: "many", dimensions: [("id", "\(index)")], factory: metrics).increment()
        }
        #expect(text.contains(#"many{other="true"} 50"#))
        #expect(text.split(separator: "\n").count == PrometheusMetrics.seriesMax + 2)
    }

    @Test("a destroyed series is written no more")
    func destroyed() {
        let counter = Counter(label: "gone", dimensions: [], factory: metrics)
        counter.increment()
        counter.destroy()
        #expect(!text.contains("gone"))
    }
}
