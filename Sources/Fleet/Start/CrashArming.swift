import Events
import Glibc
import Logging
import Synchronization

/// Carries out a ``CrashOrder``: counts how often its point is reached, and at the ordered time writes the proof and ends or stops the process.
///
/// It happens once: a process that was stopped and goes on passes the point from then on. The proof is one line on standard error, written in one
/// call before the signal: `crash point work.before-commit reached (3): SIGSTOP`.
final class CrashArming: Sendable {
    private let order: CrashOrder
    private let reached = Atomic(0)

    init(order: CrashOrder) { self.order = order }

    /// What the environment orders; nil where it says nothing.
    static func order(_ environment: [String: String]) throws(ConfigurationError) -> CrashOrder? {
        let name = EnvironmentNames.crashPoint
        guard let text = environment[name], !text.isEmpty else { return nil }
        do throws(CrashOrder.NotAnOrder) {
            return try CrashOrder(text)
        } catch {
            throw ConfigurationError(problems: [ConfigurationProblem(key: name, value: text, origin: .variable(name), message: error.message)])
        }
    }

    /// The seams for the process' services. Says loudly that they are armed.
    func arm(log: Logger) -> FaultSeams {
        log.critical(
            "a crash point is armed: this process will end or stop itself; it is for tests",
            metadata: ["point": "\(order.point.rawValue)", "signal": "\(order.action.signalName)", "count": "\(order.count)"])
        return FaultSeams { self.reached($0) }
    }

    private func reached(_ point: CrashPoint) {
        guard point == order.point, reached.add(1, ordering: .sequentiallyConsistent).newValue == order.count else { return }
        LineLogHandler.toStandardError("crash point \(order.point.rawValue) reached (\(order.count)): \(order.action.signalName)\n")
        // To this very thread, which thereby goes no step further; to the process, another thread might take it a moment later.
        raise(order.action == .kill ? SIGKILL : SIGSTOP)
    }
}
