import Fleet
import Foundation

/// The resident memory of one process, as the kernel has it.
struct RoleMemory: Sendable {
    var role: String
    var process: pid_t
    /// Since the process was warm.
    private var samples: [Double] = []
    /// Since the process began, between samples too.
    private(set) var peak = 0.0
    /// Pages of the program and its libraries among what is resident: clean, and shared by all roles on a machine.
    private var files = 0.0
    private var processorSeconds = 0.0

    init(role: String, process: pid_t) {
        self.role = role
        self.process = process
    }

    private var first: Double { mean(samples.prefix(max(1, samples.count / 3))) }
    private var last: Double { mean(samples.suffix(max(1, samples.count / 3))) }
    /// In percent.
    var growth: Double { first > 0 ? (last / first - 1) * 100 : 0 }

    func note(frames: Int) -> String {
        let perFrame = processorSeconds / Double(frames) * 1_000_000
        return """
            peak; when warm first third \(BenchTable.number(first)), last third \(BenchTable.number(last)) on average; \(BenchTable.number(files)) of it \
            pages of the program's files; \(BenchTable.number(perFrame)) µs of processor time a frame
            """
    }

    private func mean(_ part: ArraySlice<Double>) -> Double { part.isEmpty ? 0 : part.reduce(0, +) / Double(part.count) }

    /// Takes the peak; `keeps`: for the growth too.
    mutating func sample(keeps: Bool) throws {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let times = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        else { throw Failure("the process of \(role) ended during the measurement") }
        func megabytes(_ name: String) -> Double {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
            return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first).flatMap { Double($0) }.map { $0 / 1024 } ?? 0
        }
        if keeps { samples.append(megabytes("VmRSS:")) }
        peak = max(peak, megabytes("VmHWM:"))
        files = max(files, megabytes("RssFile:"))
        // Behind the name, which may hold anything: state is the first, user and system time the twelfth and thirteenth, in ticks.
        let fields = times.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return }
        processorSeconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
