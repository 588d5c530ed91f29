import NIOCore

/// When the next connection may be tried: the pause doubles with each failure in a row, up to a cap, and has a random part inside it.
struct ReconnectPolicy {
    private let delayMin: Int64
    private let delayMax: Int64
    private(set) var failures = 0
    private var notBefore = NIODeadline.uptimeNanoseconds(0)

    init(min: TimeAmount, max: TimeAmount) {
        delayMin = Swift.max(min.nanoseconds, 1)
        delayMax = Swift.max(max.nanoseconds, delayMin)
    }

    /// How long the next attempt has to wait.
    func wait(now: NIODeadline) -> TimeAmount { Swift.max(notBefore - now, .nanoseconds(0)) }

    /// - Parameter random: from 0 to 1; the pause is half of the full one and this part of the other half.
    mutating func failed(now: NIODeadline, random: Double) {
        let (doubled, overflow) = delayMin.multipliedReportingOverflow(by: 1 << min(Int64(failures), 32))
        let full = overflow ? delayMax : min(doubled, delayMax)
        failures += 1
        notBefore = now + .nanoseconds(Int64(Double(full) * (0.5 + 0.5 * random)))
    }

    mutating func succeeded() {
        failures = 0
        notBefore = .uptimeNanoseconds(0)
    }
}

extension TimeAmount {
    /// Saturates at the bounds of 64-bit nanoseconds, less than a century.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        // A quarter of the range, so that adding it to a deadline cannot overflow.
        let bound = Int64.max / 4
        self = .nanoseconds(overflow ? (seconds < 0 ? 0 : bound) : Swift.min(scaled &+ attoseconds / 1_000_000_000, bound))
    }
}
