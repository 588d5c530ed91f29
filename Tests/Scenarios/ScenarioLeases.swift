import Foundation

/// Leases as short as the configuration allows, in the proportions of its defaults; longer where the machine is busy as a scenario begins.
///
/// A lease that a starved process cannot renew in time goes from hand to hand, which is right and proves nothing; and a take-over that a scenario did not
/// order may stand where it waits for one that it did.
enum ScenarioLeases {
    static let settings: [String: String] = settings(busy: busy)

    /// - Parameter busy: tasks that want to run, for each processor.
    static func settings(busy: Double) -> [String: String] {
        let seconds = min(max((busy * 1.5).rounded(.up), 2), 30)
        return ["WEIR_LEASE_TTL": "\(Int(seconds))s", "WEIR_LEASE_RENEWAL": "\(Int(seconds * 300))ms"]
    }

    /// Of the last minute; 0 where it is not known.
    static var busy: Double {
        guard let text = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8) else { return 0 }
        let load = text.split(separator: " ").first.flatMap { Double($0) } ?? 0
        return load / Double(ProcessInfo.processInfo.activeProcessorCount)
    }
}
