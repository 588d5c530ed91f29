public import Events

/// When what was read so far becomes a batch: at its bounds, or when the first of it has waited long enough for more.
///
/// A transaction costs much the same for one row and for five hundred, so small reads wait a little for each other.
public struct BatchBuilder: Hashable, Sendable {
    public struct Limits: Hashable, Sendable {
        public var entries: Int
        public var bytes: Int
        /// How long the first entry of a batch waits for more.
        public var linger: Duration

        public init(entries: Int = 1_000, bytes: Int = 8 << 20, linger: Duration = .milliseconds(20)) {
            self.entries = entries
            self.bytes = bytes
            self.linger = linger
        }
    }

    public enum Step: Hashable, Sendable {
        /// Nothing is there: wait for a read.
        case idle
        /// Read on for at most so long.
        case more(within: Duration)
        /// Close the batch.
        case close
    }

    public let limits: Limits
    public private(set) var entries = 0
    public private(set) var bytes = 0
    private var since: MonotonicTime?

    public init(limits: Limits = Limits()) { self.limits = limits }

    /// A read brought `entries` with `bytes` in all.
    public mutating func read(entries: Int, bytes: Int, at now: MonotonicTime) {
        guard entries > 0 else { return }
        since = since ?? now
        self.entries += entries
        self.bytes += bytes
    }

    /// At one of its bounds.
    public var isFull: Bool { entries >= limits.entries || bytes >= limits.bytes }

    public func step(at now: MonotonicTime) -> Step {
        guard let since else { return .idle }
        let left = limits.linger - (now - since)
        return isFull || left <= .zero ? .close : .more(within: left)
    }

    /// The batch was taken; the next one begins.
    public mutating func closed() {
        entries = 0
        bytes = 0
        since = nil
    }
}
