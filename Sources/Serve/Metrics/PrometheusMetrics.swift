public import CoreMetrics
import Synchronization

/// A swift-metrics factory that keeps what a process measured and writes it in Prometheus' text format.
///
/// Bootstrap it once (`MetricsSystem.bootstrap`) and give the same object to the services that answer `/metrics`. Counters, gauges (meters
/// and recorders that do not aggregate) and histograms (timers in seconds, recorders that aggregate). A name may have ``seriesMax`` label sets;
/// what comes after that is counted under the one label `other="true"`, so that no label's values can fill the memory.
public final class PrometheusMetrics: MetricsFactory, Sendable {
    public static let seriesMax = 500

    private let families = Mutex<[FamilyKey: Family]>([:])

    private struct FamilyKey: Hashable {
        var name: String
        var kind: Kind
    }

    private enum Kind: String { case counter, gauge, histogram }

    private struct Family {
        var series: [Labels: any PrometheusCell] = [:]
    }

    public init() {}

    /// All that is measured, in the text format 0.0.4; names and label sets in order.
    public func text() -> [UInt8] {
        let snapshot = families.withLock { $0 }
        var text: [UInt8] = []
        for (key, family) in snapshot.sorted(by: { ($0.key.name, $0.key.kind.rawValue) < ($1.key.name, $1.key.kind.rawValue) }) {
            text.append(contentsOf: "# TYPE \(key.name) \(key.kind.rawValue)\n".utf8)
            for (labels, cell) in family.series.sorted(by: { $0.key < $1.key }) { cell.append(name: key.name, labels: labels, to: &text) }
        }
        return text
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, .counter) { CounterCell() }
    }

    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        cell(label, dimensions, .counter) { FloatingPointCounterCell() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions, .gauge) { GaugeCell() }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate { return cell(label, dimensions, .histogram) { HistogramCell(bounds: HistogramCell.bounds(of: label), scale: 1) } }
        return cell(label, dimensions, .gauge) { GaugeCell() }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions, .histogram) { HistogramCell(bounds: HistogramCell.secondsBounds, scale: 1e-9) }
    }

    public func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { forget(handler) }

    /// The cell of a name and label set, the same each time it is asked for; a name used for two kinds is two families.
    private func cell<Cell: PrometheusCell>(
        _ label: String, _ dimensions: [(String, String)], _ kind: Kind, make: () -> Cell
    ) -> Cell {
        let labels = Labels(dimensions)
        return families.withLock { families in
            var key = FamilyKey(name: Labels.name(label), kind: kind)
            if families.keys.contains(where: { $0.name == key.name && $0.kind != kind }) { key.name += "_\(kind.rawValue)" }
            var family = families[key] ?? Family()
            let isFull = family.series[labels] == nil && family.series.count >= Self.seriesMax
            let place = isFull ? Labels([("other", "true")]) : labels
            if let known = family.series[place] as? Cell { return known }
            let cell = make()
            family.series[place] = cell
            families[key] = family
            return cell
        }
    }

    private func forget(_ handler: AnyObject) {
        families.withLock { families in
            for (key, var family) in families {
                guard let place = family.series.first(where: { $0.value === handler })?.key else { continue }
                family.series[place] = nil
                families[key] = family.series.isEmpty ? nil : family
            }
        }
    }
}
