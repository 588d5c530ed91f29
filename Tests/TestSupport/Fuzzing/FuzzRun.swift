import Foundation

/// What became of one input.
public enum FuzzVerdict: Hashable, Sendable {
    case accepted
    /// With the decoder's own error, or nil.
    case refused
    /// The contract does not hold: why.
    case broken(String)
}

/// An input that breaks a decoder's contract, with all that makes it again.
public struct FuzzFailure: Error, CustomStringConvertible {
    public let description: String
}

/// Feeds a decoder with many inputs and checks what holds for each: it returns, soon, without taking much more memory than the input has.
///
/// Inputs depend on the seed and their number alone. `WEIR_FUZZ_INPUTS` replaces the count of every decoder. A crash ends the process:
/// with `WEIR_FUZZ_JOURNAL` set to a folder, the input that was in hand stands there in a file of the decoder's name.
/// Times are the thread's own CPU time, so a busy machine changes nothing; memory is the process' peak.
public struct FuzzRun: Sendable {
    public static let secondsMax = 1.0
    public static let growthBytesMax = 96 << 20

    public let name: String
    public let inputs: Int
    private let seed: TestSeed

    public init(_ name: String, inputs: Int) {
        self.name = name
        self.inputs = ProcessInfo.processInfo.environment["WEIR_FUZZ_INPUTS"].flatMap(Int.init) ?? inputs
        seed = TestSeed("fuzz of \(name)")
    }

    /// - Parameter onlyRefuses: this decoder accepts nothing, or nearly nothing, of what it is given.
    public func callAsFunction(
        _ mutator: ByteMutator, onlyRefuses: Bool = false, decode: ([UInt8]) -> FuzzVerdict
    ) throws {
        try callAsFunction(onlyRefuses: onlyRefuses, generate: { mutator.input(using: &$0) }, decode: decode)
    }

    public func callAsFunction(
        onlyRefuses: Bool = false, generate: (inout SeededGenerator) -> [UInt8], decode: ([UInt8]) -> FuzzVerdict
    ) throws {
        let journal = FuzzJournal(name)
        var (accepted, refused, slowest, bytes) = (0, 0, 0.0, 0)
        var peak = Self.peakBytes()
        for index in 0..<inputs {
            var random = SeededGenerator(seed: seed.value &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15)
            let input = generate(&random)
            bytes += input.count
            journal?.note(input)
            let start = Self.cpuSeconds()
            let verdict = decode(input)
            let seconds = Self.cpuSeconds() - start
            slowest = max(slowest, seconds)
            let now = Self.peakBytes()
            if now - peak > Self.growthBytesMax + 64 * input.count { throw failure("took \((now - peak) >> 20) MB", index, input) }
            peak = max(peak, now)
            if seconds > Self.secondsMax { throw failure("took \(seconds) s", index, input) }
            switch verdict {
            case .accepted: accepted += 1
            case .refused: refused += 1
            case .broken(let why): throw failure(why, index, Self.shrink(input, decode))
            }
        }
        print(
            "fuzz \(name): \(inputs) inputs, \(accepted) accepted, \(refused) refused, \(bytes / max(1, inputs)) bytes each, "
                + "slowest \((slowest * 10_000).rounded() / 10) ms, peak \(peak >> 20) MB")
        // A decoder that takes all or nothing was not tested.
        if inputs >= 500, accepted == 0 && !onlyRefuses || refused == 0 {
            throw FuzzFailure(description: "\(name): \(accepted) accepted, \(refused) refused: the inputs do not reach it (\(seed))")
        }
    }

    private func failure(_ why: String, _ index: Int, _ input: [UInt8]) -> FuzzFailure {
        let digits = Array("0123456789abcdef".utf8)
        let hex = input.prefix(2_000).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return FuzzFailure(
            description: "\(name): \(why); input \(index) of \(seed), \(input.count) bytes: \(String(decoding: hex, as: UTF8.self))")
    }

    /// Leaves out what the failure does not need.
    private static func shrink(_ input: [UInt8], _ decode: ([UInt8]) -> FuzzVerdict) -> [UInt8] {
        var best = input
        var size = best.count / 2
        var tries = 4_000
        while size > 0, tries > 0 {
            var start = 0
            while start < best.count, tries > 0 {
                tries -= 1
                var candidate = best
                candidate.removeSubrange(start..<min(candidate.count, start + size))
                if case .broken = decode(candidate) { best = candidate } else { start += size }
            }
            size /= 2
        }
        return best
    }

    private static func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func peakBytes() -> Int {
        var usage = rusage()
        #if os(macOS)
            getrusage(RUSAGE_SELF, &usage)
            return Int(usage.ru_maxrss)
        #else
            getrusage(__rusage_who_t(truncatingIfNeeded: RUSAGE_SELF.rawValue), &usage)
            return Int(usage.ru_maxrss) << 10
        #endif
    }
}
