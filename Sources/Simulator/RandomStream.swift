/// A seeded source of numbers (SplitMix64): the same seed and label give the same numbers on every machine.
///
/// Parts of the network draw from streams of their own, derived by label and index, so that one part's draws never shift another's.
struct RandomStream: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64, _ label: StaticString, _ index: Int = 0, _ generation: Int = 0) {
        var hash = seed &* 0x9e37_79b9_7f4a_7c15
        label.withUTF8Buffer { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 } }
        hash = Self.mix(hash ^ UInt64(truncatingIfNeeded: index) &* 0xd6e8_feb8_6659_fd93)
        state = Self.mix(hash ^ UInt64(truncatingIfNeeded: generation) &* 0xa076_1d64_78bd_642f)
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// 0 to `bound` − 1; 0 where the bound is 1 or less.
    mutating func below(_ bound: Int) -> Int {
        bound <= 1 ? 0 : Int(next() % UInt64(bound))
    }

    /// 0 up to, not including, 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count + 8)
        while result.count < count {
            withUnsafeBytes(of: next().littleEndian) { result.append(contentsOf: $0) }
        }
        result.removeLast(result.count - count)
        return result
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
