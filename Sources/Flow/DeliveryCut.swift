/// Cuts what is to be delivered into batches, by count and by bytes, without changing the order.
public enum DeliveryCut {
    /// - Parameter sizes: in bytes, as the events are written.
    /// - Returns: ranges that follow each other and cover all; each within both limits, but that one event which is larger than `bytes` goes alone.
    public static func ranges(_ sizes: [Int], events: Int, bytes: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        var sum = 0
        for (index, size) in sizes.enumerated() {
            if index > start, index - start >= max(1, events) || sum + size > bytes {
                ranges.append(start..<index)
                (start, sum) = (index, 0)
            }
            sum += size
        }
        if start < sizes.count { ranges.append(start..<sizes.count) }
        return ranges
    }
}
