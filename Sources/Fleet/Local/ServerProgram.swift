import Foundation
import Subprocess

/// A server's program with its arguments, ready to run as a child that ends with this process.
struct ServerProgram: Sendable {
    var path: String
    var arguments: [String]
    /// Whom to step down to; nil: stay.
    var user: SystemUser?
    /// What asks the server to end quickly and cleanly. The kernel sends it too when this process dies without saying so.
    var endSignal: Signal
    var log: String

    /// In a session of its own: a Ctrl-C in the terminal reaches Weir alone, which ends the servers after its own work.
    func configuration() -> Configuration {
        var options = PlatformOptions()
        options.createSession = true
        // The last resort (SIGKILL) comes only after that long: a server that flushes to a slow disk is not torn away.
        options.teardownSequence = [.send(signal: endSignal, toProcessGroup: false, allowedDurationToNextStep: .seconds(15))]
        // The shell only opens the log and then becomes the program.
        let script = "cd / && exec \"$@\" >>\"$0\" 2>&1"
        return Configuration(
            executable: .name("sh"),
            arguments: Arguments(["-c", script, log] + Self.wrapped(path, arguments, user: user, deathSignal: endSignal)),
            environment: Self.environment, platformOptions: options)
    }

    private static let environment = Environment.custom(["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"])

    /// `setpriv` (util-linux, part of every Debian) changes the user and asks the kernel for the signal at this process' death, and then
    /// becomes the program: there is no process in between that could keep a signal to itself.
    static func wrapped(_ path: String, _ arguments: [String], user: SystemUser?, deathSignal: Signal?) -> [String] {
        guard let setpriv = find("setpriv") else { return [path] + arguments }
        var command = [setpriv]
        if let user { command += ["--reuid", "\(user.userID)", "--regid", "\(user.groupID)", "--clear-groups"] }
        if let deathSignal { command += ["--pdeathsig", deathSignal == .interrupt ? "INT" : "TERM"] }
        return command.count == 1 ? [path] + arguments : command + ["--", path] + arguments
    }

    /// Runs a program to its end; its output and whether it went well.
    static func output(of path: String, _ arguments: [String], user: SystemUser? = nil) async -> (ok: Bool, text: String) {
        let command = wrapped(path, arguments, user: user, deathSignal: user == nil ? nil : .terminate)
        do {
            let result = try await run(
                .name("sh"), arguments: Arguments(["-c", "cd / && exec \"$@\" 2>&1", "sh"] + command), environment: environment,
                output: .string(limit: 1 << 20))
            return (result.terminationStatus.isSuccess, result.standardOutput)
        } catch {
            return (false, "\(error)")
        }
    }

    static func find(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (folders + ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]).lazy.map { $0 + "/" + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
