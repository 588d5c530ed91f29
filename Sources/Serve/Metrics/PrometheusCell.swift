/// One series: a name with one label set.
protocol PrometheusCell: AnyObject, Sendable {
    /// Appends its lines.
    func append(name: String, labels: Labels, to text: inout [UInt8])
}

extension PrometheusCell {
    /// Prometheus' numbers: whole ones without a point, as are the special values.
    static func format(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }
}
