import Foundation
import TestSupport

/// One role of the fleet as a real process of the program under test.
struct WeirProcess: Sendable {
    let name: String
    let child: ChildProcess

    /// The program that was built beside the tests.
    static var program: String {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("weir").path
    }

    static func start(_ name: String, _ arguments: [String], _ environment: [String: String]) async throws -> WeirProcess {
        let settings = environment.map { "\($0.key)=\($0.value)" }.sorted()
        let child = try await ChildProcess.start(["/usr/bin/env"] + settings + [program] + arguments)
        return WeirProcess(name: name, child: child)
    }

    /// Runs a command to its end; throws what it wrote where it fails.
    @discardableResult
    static func run(_ arguments: [String], _ environment: [String: String]) async throws -> String {
        let settings = environment.map { "\($0.key)=\($0.value)" }.sorted()
        return try await ChildProcess.run(["/usr/bin/env"] + settings + [program] + arguments)
    }

    func end(_ signal: Int32) async -> Int32 {
        child.signal(signal)
        return await child.waitForExit()
    }
}
