/// Counts which parts of a mapping were touched since it was given back.
struct ResidentWindows: Sendable {
    static let windowBytes = 64 << 10

    private var isTouched: [UInt64]
    private var count = 0
    private let countMax: Int

    init(bytes: Int, residentBytes: Int) {
        isTouched = Array(repeating: 0, count: bytes / Self.windowBytes / 64 + 1)
        countMax = max(1, residentBytes / Self.windowBytes)
    }

    /// Notes a touch. True: everything must be given back first, and only this touch counts from then on.
    mutating func touch(_ range: Range<Int>) -> Bool {
        let windows = (range.lowerBound / Self.windowBytes)...(max(range.lowerBound, range.upperBound - 1) / Self.windowBytes)
        let before = count
        mark(windows)
        // One range may have more than all that is allowed.
        guard count > countMax, before > 0 else { return false }
        for index in isTouched.indices { isTouched[index] = 0 }
        count = 0
        mark(windows)
        return true
    }

    private mutating func mark(_ windows: ClosedRange<Int>) {
        for window in windows {
            let mask: UInt64 = 1 << UInt64(window & 63)
            guard isTouched[window >> 6] & mask == 0 else { continue }
            isTouched[window >> 6] |= mask
            count += 1
        }
    }
}
