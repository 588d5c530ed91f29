import AsyncHTTPClient
import NIOCore
import TestSupport

/// What one process of the fleet counted, as its operations endpoint shows it: since the start of that process.
struct ProcessMetrics: Sendable {
    private let port: Int

    /// The setting that has a process serve them here. Its port is chosen once, before the process starts.
    var settings: [String: String] { ["WEIR_OPERATIONS_BIND": "127.0.0.1:\(port)"] }

    init() throws { port = try FreePort.choose() }

    /// The sum of a metric over all of its labels, or of those that hold `label`; 0 where it is not there yet.
    func sum(_ name: String, _ label: String = "") async throws -> Int64 {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: "http://127.0.0.1:\(port)/metrics"), timeout: .seconds(60))
        let text = String(buffer: try await response.body.collect(upTo: 4 << 20))
        return text.split(separator: "\n").reduce(0) { sum, line in
            guard line.hasPrefix("\(name) ") || line.hasPrefix("\(name){"), label.isEmpty || line.contains(label) else { return sum }
            return sum + Int64(line.split(separator: " ").last.flatMap { Double($0) } ?? 0)
        }
    }
}
