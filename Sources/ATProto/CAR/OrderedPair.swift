/// Two numbers that are compared one after the other.
struct OrderedPair: Sendable, Equatable {
    var first: UInt64
    var second: UInt64

    @inline(__always)
    init(_ first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    @inline(__always)
    func precedes(_ other: OrderedPair) -> Bool { first < other.first || first == other.first && second < other.second }

    /// Sorts in place, by one byte after the other from the highest on: no memory beside the pairs, and time that grows with their number alone,
    /// whatever a stranger has put into them.
    static func sort(_ pairs: inout [OrderedPair]) {
        var borders = [Int](repeating: 0, count: 16 * bordersPerByte)
        pairs.withUnsafeMutableBufferPointer { pairs in
            borders.withUnsafeMutableBufferPointer { sort(pairs, from: 0, $0) }
        }
    }

    /// Of the 256 groups: where the next pair goes, and where the group ends.
    private static let bordersPerByte = 512
    private static let smallCount = 24

    /// The byte with this number: 0 is the highest of `first`, 15 the lowest of `second`.
    @inline(__always)
    private func byte(_ number: Int) -> Int {
        Int(truncatingIfNeeded: (number < 8 ? first : second) >> UInt64(56 - 8 * (number & 7))) & 255
    }

    /// Sorts pairs that are equal in the bytes before `start`. Recursion is bounded by the sixteen bytes, each of which has its own borders.
    private static func sort(_ pairs: UnsafeMutableBufferPointer<OrderedPair>, from start: Int, _ borders: UnsafeMutableBufferPointer<Int>) {
        guard pairs.count > smallCount else { return sortFew(pairs) }
        for number in start..<16 {
            let own = UnsafeMutableBufferPointer(rebasing: borders[(number * bordersPerByte)..<((number + 1) * bordersPerByte)])
            guard group(pairs, number, own) else { continue }
            var begin = 0
            for value in 0..<256 {
                let end = own[256 + value]
                sort(UnsafeMutableBufferPointer(rebasing: pairs[begin..<end]), from: number + 1, borders)
                begin = end
            }
            return
        }
    }

    /// Brings pairs that are equal in one byte together, in the order of that byte; false where all are equal in it.
    private static func group(
        _ pairs: UnsafeMutableBufferPointer<OrderedPair>, _ number: Int, _ borders: UnsafeMutableBufferPointer<Int>
    ) -> Bool {
        borders.update(repeating: 0)
        for pair in pairs { borders[256 + pair.byte(number)] += 1 }
        guard borders[256 + pairs[0].byte(number)] < pairs.count else { return false }
        var sum = 0
        for value in 0..<256 {
            borders[value] = sum
            sum += borders[256 + value]
            borders[256 + value] = sum
        }
        for value in 0..<256 {
            while borders[value] < borders[256 + value] {
                // Each pair goes to its group and pushes another out, until one comes that belongs here.
                var pair = pairs[borders[value]]
                while true {
                    let own = pair.byte(number)
                    let place = borders[own]
                    borders[own] += 1
                    if own == value {
                        pairs[place] = pair
                        break
                    }
                    swap(&pairs[place], &pair)
                }
            }
        }
        return true
    }

    private static func sortFew(_ pairs: UnsafeMutableBufferPointer<OrderedPair>) {
        guard pairs.count > 1 else { return }
        for index in 1..<pairs.count {
            let pair = pairs[index]
            var place = index
            while place > 0, pair.precedes(pairs[place - 1]) {
                pairs[place] = pairs[place - 1]
                place -= 1
            }
            pairs[place] = pair
        }
    }
}
