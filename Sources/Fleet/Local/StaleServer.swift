import Foundation
import Glibc
import Logging

/// Ends a server that an earlier process left on a data folder, so that two never write one folder.
struct StaleServer: Sendable {
    /// Its first line is a process id.
    var pidFile: String
    /// Stands in the command line of the server's process: a number alone may by now be anybody's.
    var mark: String
    var endSignal: Int32

    /// - Throws: `failed` where it is still there after `patience`.
    func end(patience: Duration, log: Logger) async throws(LocalServerError) {
        guard let pid = runningProcess() else {
            unlink(pidFile)
            return
        }
        log.warning("ending a server that an earlier process left behind", metadata: ["pid": "\(pid)", "pid_file": "\(pidFile)"])
        kill(pid, endSignal)
        let deadline = ContinuousClock.now + patience
        while runningProcess() == pid {
            guard ContinuousClock.now < deadline else {
                throw LocalServerError(code: .failed, message: "process \(pid) (\(mark)) does not end; end it and start again")
            }
            do { try await Task.sleep(for: .milliseconds(50)) } catch {
                throw LocalServerError(code: .failed, message: "stopped while waiting for process \(pid) to end")
            }
        }
        unlink(pidFile)
    }

    private func runningProcess() -> pid_t? {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8), let line = text.split(separator: "\n").first,
            let pid = pid_t(line), pid > 1, let command = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline"))
        else { return nil }
        return String(decoding: command, as: UTF8.self).contains(mark) ? pid : nil
    }
}
