import Fleet
import Foundation
import Subprocess

/// Real processes of this program beside the bench: each ends, at the latest, with the body that started it, and with this process.
final class FleetProcesses: Sendable {
    private struct Request: Sendable {
        var configuration: Configuration
        var started: CheckedContinuation<pid_t, any Error>
    }

    private let requests: AsyncStream<Request>.Continuation
    private let environment: [Environment.Key: String?]
    private let folder: String

    /// - Parameters:
    ///   - configuration: given to each process in its environment, but for keys that stand at their defaults.
    ///   - folder: for the processes' logs.
    static func run<Value: Sendable>(
        _ configuration: FleetConfiguration, folder: String, _ body: @escaping @Sendable (FleetProcesses) async throws -> Value
    ) async throws -> Value {
        let (stream, requests) = AsyncStream.makeStream(of: Request.self)
        let processes = FleetProcesses(configuration, folder: folder, requests: requests)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                await withDiscardingTaskGroup { children in
                    for await request in stream { children.addTask { await Self.serve(request) } }
                }
                return nil
            }
            group.addTask { try await body(processes) }
            defer {
                requests.finish()
                group.cancelAll()
            }
            while let ended = try await group.next() {
                if let value = ended { return value }
            }
            throw CancellationError()
        }
    }

    private init(_ configuration: FleetConfiguration, folder: String, requests: AsyncStream<Request>.Continuation) {
        var environment: [Environment.Key: String?] = ["WEIR_CONFIG": nil, "WEIR_LOG_LEVEL": "warning"]
        for entry in configuration.values.entries where entry.origin != .standard && entry.key.path != "log.level" {
            environment[.init(stringLiteral: entry.key.variable)] = entry.text
        }
        self.environment = environment
        self.folder = folder
        self.requests = requests
    }

    /// Starts a role: `["worker"]`. Returns its process id; whether it serves is seen elsewhere.
    func start(_ arguments: [String], _ settings: [String: String] = [:]) async throws -> pid_t {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let log = "\(folder)/\(arguments.filter { !$0.hasPrefix("-") }.joined(separator: "-")).log"
        // The shell opens the log and becomes setpriv, which asks for death with this process and becomes the role.
        let script =
            "if command -v setpriv >/dev/null; then exec setpriv --pdeathsig KILL -- \"$@\" >>\"$0\" 2>&1; else exec \"$@\" >>\"$0\" 2>&1; fi"
        let options = settings.sorted { $0.key < $1.key }.flatMap { ["--set", "\($0.key)=\($0.value)"] }
        var platform = PlatformOptions()
        platform.createSession = true
        platform.teardownSequence = [.send(signal: .terminate, toProcessGroup: false, allowedDurationToNextStep: .seconds(3))]
        let configuration = Configuration(
            executable: .name("sh"), arguments: Arguments(["-c", script, log, program] + arguments + options),
            environment: .inherit.updating(environment), platformOptions: platform)
        return try await withCheckedThrowingContinuation { continuation in
            let request = Request(configuration: configuration, started: continuation)
            if case .terminated = requests.yield(request) { continuation.resume(throwing: CancellationError()) }
        }
    }

    /// The last lines of the logs of all processes, for a failure's message.
    var logTail: String {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".log") }.sorted()
        return names.compactMap { name -> String? in
            guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8), !text.isEmpty else { return nil }
            return "\(name): " + text.split(separator: "\n").suffix(3).joined(separator: " | ")
        }.joined(separator: "\n")
    }

    /// Runs one to its end. Cancelled: SIGTERM, and after a moment SIGKILL.
    private static func serve(_ request: Request) async {
        var isStarted = false
        do {
            _ = try await Subprocess.run(request.configuration, input: .none, output: .discarded, error: .discarded) { execution in
                isStarted = true
                request.started.resume(returning: execution.processIdentifier.value)
            }
        } catch {
            if !isStarted { request.started.resume(throwing: error) }
        }
    }

    /// The process id that stands in an owner's name, `worker-host-123-abc`.
    static func processID(ofOwner owner: String) -> pid_t? {
        let parts = owner.split(separator: "-")
        return parts.count >= 3 ? pid_t(parts[parts.count - 2]) : nil
    }
}
