import CoreMetrics
import Synchronization

final class CounterCell: CounterHandler, PrometheusCell {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func append(name: String, labels: Labels, to text: inout [UInt8]) {
        text.append(contentsOf: "\(name)\(labels.braced()) \(value.load(ordering: .relaxed))\n".utf8)
    }
}

final class FloatingPointCounterCell: FloatingPointCounterHandler, PrometheusCell {
    private let value = Mutex<Double>(0)

    /// A counter only grows: other amounts are left out.
    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        value.withLock { $0 += amount }
    }

    func reset() { value.withLock { $0 = 0 } }

    func append(name: String, labels: Labels, to text: inout [UInt8]) {
        text.append(contentsOf: "\(name)\(labels.braced()) \(Self.format(value.withLock { $0 }))\n".utf8)
    }
}
