import Foundation
import Synchronization
import TestSupport

/// What a scenario did and with which processes, for the message of a failure.
final class ScenarioJournal: Sendable {
    private struct State {
        var lines: [String] = []
        var current: String?
        var processes: [WeirProcess] = []
        var clients: [FirehoseClient] = []
    }

    private let state = Mutex(State())

    func began(_ step: String) { state.withLock { $0.current = step } }

    func ended(_ step: String, _ duration: Duration) {
        let line = "\(step) (\(Int(duration / .milliseconds(1))) ms)"
        print("step done: \(line)")
        state.withLock { state in
            state.lines.append(line)
            state.current = nil
        }
    }

    /// A fact that a reader of the failure wants: what was injected, and what was seen of it.
    func note(_ fact: String) {
        print("noted: \(fact)")
        state.withLock { $0.lines.append("  \(fact)") }
    }

    func started(_ process: WeirProcess) { state.withLock { $0.processes.append(process) } }

    func started(_ client: FirehoseClient) { state.withLock { $0.clients.append(client) } }
    var clients: [FirehoseClient] { state.withLock { $0.clients } }
    func endClients() { for client in clients { client.stop() } }

    /// Kills those that still run: they would work against servers that are gone until all scenarios have ended.
    func endProcesses() async { for process in state.withLock({ $0.processes }) { _ = await process.end(SIGKILL) } }

    /// The message of a failure: seed, steps, the one that failed, and what each process wrote last.
    func report(seed: UInt64, _ error: any Error) -> ScenarioFailure {
        let (lines, current, processes) = state.withLock { ($0.lines, $0.current, $0.processes) }
        var text = "\(error)\nseed: WEIR_TEST_SEED=\(seed)\nsteps done:\n" + lines.map { "  \($0)\n" }.joined()
        if let current { text += "step that failed: \(current)\n" }
        for process in processes {
            let tail = process.child.output.split(separator: "\n").suffix(12)
            text += "--- \(process.name)\(process.child.hasExited ? " (has ended)" : "")\n" + tail.map { "  \($0.prefix(300))\n" }.joined()
        }
        return ScenarioFailure(text)
    }
}

/// A scenario went wrong; says how.
struct ScenarioFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
