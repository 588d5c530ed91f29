import CoreMetrics
import Synchronization

final class HistogramCell: RecorderHandler, TimerHandler, PrometheusCell {
    private struct State {
        /// By bucket, not cumulated; the last is above all bounds.
        var counts: [UInt64]
        var sum = 0.0
    }

    static let secondsBounds: [Double] = [
        0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
    ]
    private static let millisecondsBounds: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000]
    private static let otherBounds: [Double] = (0...14).map { Double(1 << ($0 * 2)) }

    private let bounds: [Double]
    /// What a recorded value is multiplied with.
    private let scale: Double
    private let state: Mutex<State>

    init(bounds: [Double], scale: Double) {
        self.bounds = bounds
        self.scale = scale
        state = Mutex(State(counts: [UInt64](repeating: 0, count: bounds.count + 1)))
    }

    /// By the unit at the end of the name: milliseconds, or powers of four.
    static func bounds(of name: String) -> [Double] { name.hasSuffix("_ms") ? millisecondsBounds : otherBounds }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration)) }

    func record(_ value: Double) {
        let value = value * scale
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func append(name: String, labels: Labels, to text: inout [UInt8]) {
        let state = state.withLock { $0 }
        var total: UInt64 = 0
        for (index, count) in state.counts.enumerated() {
            total += count
            let bound = index < bounds.count ? Self.format(bounds[index]) : "+Inf"
            text.append(contentsOf: "\(name)_bucket\(labels.braced("le=\"\(bound)\"")) \(total)\n".utf8)
        }
        text.append(contentsOf: "\(name)_sum\(labels.braced()) \(Self.format(state.sum))\n".utf8)
        text.append(contentsOf: "\(name)_count\(labels.braced()) \(total)\n".utf8)
    }
}
