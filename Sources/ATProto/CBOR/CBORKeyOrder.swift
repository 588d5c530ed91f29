/// Remembers the last key of a map, to see that the next one stands after it in canonical order.
struct CBORKeyOrder {
    private var previous = 0..<0
    private var isFirst = true

    mutating func accepts(_ key: Range<Int>, in buffer: UnsafeRawBufferPointer) -> Bool {
        defer { previous = key }
        if isFirst {
            isFirst = false
            return true
        }
        if key.count != previous.count { return key.count > previous.count }
        for index in 0..<key.count {
            let (old, new) = (buffer[previous.lowerBound + index], buffer[key.lowerBound + index])
            if old != new { return old < new }
        }
        return false
    }
}
