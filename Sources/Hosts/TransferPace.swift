/// Whether a host sends a body fast enough: one that drips must not hold a slot for ever.
///
/// Only time spent waiting for the host counts, so a slow reader is not held against it. Each time ``window`` of such time has passed, at
/// least ``leastBytesPerSecond`` must have come in it; a body that ends sooner is never judged. A host that sends nothing at all is not seen here:
/// the time-out between bytes ends it.
struct TransferPace: Hashable, Sendable {
    let leastBytesPerSecond: Int
    let window: Duration
    private var bytes = 0
    private var waited = Duration.zero

    init(leastBytesPerSecond: Int, window: Duration) {
        self.leastBytesPerSecond = leastBytesPerSecond
        self.window = window
    }

    /// Takes a chunk that was waited for; false where the host is too slow.
    mutating func received(_ count: Int, waited time: Duration) -> Bool {
        bytes += count
        waited += time
        guard waited >= window else { return true }
        defer { (bytes, waited) = (0, .zero) }
        return Double(bytes) >= Double(leastBytesPerSecond) * (waited / .seconds(1))
    }
}
