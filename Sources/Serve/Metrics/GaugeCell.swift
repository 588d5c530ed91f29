import CoreMetrics
import Synchronization

final class GaugeCell: MeterHandler, RecorderHandler, PrometheusCell {
    private let value = Mutex<Double>(0)

    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ new: Int64) { set(Double(new)) }
    func record(_ new: Double) { set(new) }

    func append(name: String, labels: Labels, to text: inout [UInt8]) {
        text.append(contentsOf: "\(name)\(labels.braced()) \(Self.format(value.withLock { $0 }))\n".utf8)
    }
}
