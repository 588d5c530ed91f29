import Foundation

/// The seed of a test with random input: `WEIR_TEST_SEED` where set, else a new one. It is printed, so that a failure can be run again.
public struct TestSeed: Sendable, CustomStringConvertible {
    public let value: UInt64

    public init(_ name: String) {
        value = ProcessInfo.processInfo.environment["WEIR_TEST_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0 ... .max)
        print("seed of \(name): WEIR_TEST_SEED=\(value)")
        // Not to be lost where the process crashes or is ended.
        fflush(nil)
    }

    public var description: String { "WEIR_TEST_SEED=\(value)" }

    public func generator() -> SeededGenerator { SeededGenerator(seed: value) }
}

/// SplitMix64: the same numbers for the same seed, on every machine and in every version.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
