import Foundation
import TestSupport

/// Resident memory of a few processes over a run, and whether it is flat.
///
/// Meant for processes that live from the run's beginning to its end: the growth of one that is replaced now and then would not show.
struct MemoryWatch {
    /// Growth that is still called flat, between the middle third of the samples and the last one (the first third is warming up): of the median, by
    /// a share and some megabytes, since an allocator keeps what one busy moment needed.
    static let share = 0.15
    static let megabytes = 12.0
    /// With fewer samples a third says nothing.
    static let samplesMin = 9

    /// Megabytes by name, one a sample.
    private(set) var samples: [String: [Double]] = [:]

    mutating func sample(_ processes: [WeirProcess]) throws {
        for process in processes {
            guard let resident = Self.residentMegabytes(process) else { throw ScenarioFailure("the memory of \(process.name) cannot be read") }
            samples[process.name, default: []].append(resident)
        }
    }

    /// What grows, a sentence each; nothing is said of fewer than ``samplesMin`` samples.
    var growing: [String] {
        samples.sorted { $0.key < $1.key }.compactMap { name, values in
            guard values.count >= Self.samplesMin else { return nil }
            let third = values.count / 3
            let middle = Self.median(values[third..<2 * third])
            let last = Self.median(values[(values.count - third)...])
            guard last > middle * (1 + Self.share) + Self.megabytes else { return nil }
            return "\(name) grows from \(Int(middle)) to \(Int(last)) MB: \(values.map { Int($0) })"
        }
    }

    var summary: String {
        samples.sorted { $0.key < $1.key }.map { name, values in
            let thirds = (0..<3).map { Int(Self.median(values[(values.count * $0 / 3)..<(values.count * ($0 + 1) / 3)])) }
            return "\(name) \(thirds.map(String.init).joined(separator: " / ")) MB, \(Int(values.max() ?? 0)) at most"
        }.joined(separator: "; ")
    }

    private static func median(_ values: ArraySlice<Double>) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    /// VmRSS of a process; nil where it is gone.
    private static func residentMegabytes(_ process: WeirProcess) -> Double? {
        guard let id = process.child.processID, let text = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8) else { return nil }
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }) else { return nil }
        return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
    }
}
