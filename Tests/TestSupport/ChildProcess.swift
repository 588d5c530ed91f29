import Foundation
import Synchronization

/// A program that runs as a child of the test process, and never outlives it.
///
/// A small shell stands between: it holds the read end of a pipe whose write end only this process has, and ends the program as soon as
/// that pipe closes, so a test process that is killed leaves nothing behind. Signals go to the program itself.
public final class ChildProcess: Sendable {
    private struct State {
        var program: pid_t?
        var ready = false
        var status: Int32?
        var lines: [String] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
        var lifeline: Int32
    }

    /// Reports the program's id, then waits for its end; ends the program itself when standard input closes.
    private static let keeper = """
        exec 3<&0
        "$@" </dev/null 3<&- & p=$!
        echo "$p"
        { read -r _ <&3; kill -TERM $p; kill -CONT $p; sleep 1; kill -KILL $p; } >/dev/null 2>&1 & r=$!
        exec 3<&-
        wait $p; s=$?
        kill $r
        exit $s
        """

    private let keeper: pid_t
    private let state: Mutex<State>

    /// Starts a program; returns when it has written a line that contains `readyLine`, or at once where that is nil.
    ///
    /// - Throws: ``TestSupportError`` with the last lines of its output, where it ends or is silent for two minutes before that.
    public static func start(_ command: [String], readyLine: String? = nil) async throws -> ChildProcess {
        let (keeper, lifeline, output) = try spawn(["/bin/sh", "-c", Self.keeper, "keeper"] + command)
        let child = ChildProcess(keeper: keeper, lifeline: lifeline)
        Thread.detachNewThread { child.read(output, readyLine: readyLine) }
        let alarm = Task {
            try await Task.sleep(for: .seconds(120))
            child.signal(SIGKILL)
        }
        defer { alarm.cancel() }
        // A quick program may be ready before the shell has told its id, without which no signal reaches it.
        let isUp = await child.wait { $0.program != nil && (readyLine == nil || $0.ready) }
        guard isUp || readyLine == nil else {
            throw TestSupportError("\(command.joined(separator: " ")) did not start:\n\(child.output)")
        }
        return child
    }

    /// Runs a program to its end and returns what it wrote.
    @discardableResult
    public static func run(_ command: [String]) async throws -> String {
        let child = try await start(command)
        let status = await child.waitForExit()
        guard status == 0 else { throw TestSupportError("\(command.joined(separator: " ")) ended with \(status):\n\(child.output)") }
        return child.output
    }

    private init(keeper: pid_t, lifeline: Int32) {
        self.keeper = keeper
        state = Mutex(State(lifeline: lifeline))
    }

    deinit { endLifeline() }

    /// The program's process id.
    public var processID: Int32? { state.withLock { $0.program } }
    public var hasExited: Bool { state.withLock { $0.status != nil } }
    /// The last 200 lines of standard output and error.
    public var output: String { state.withLock { $0.lines.joined(separator: "\n") } }

    /// Sends a signal to the program; nothing where it has ended.
    public func signal(_ number: Int32) {
        state.withLock { state in
            guard state.status == nil, let program = state.program else { return }
            kill(program, number)
        }
    }

    /// Waits for the end of the program and of everything that writes to its output; returns its exit status (128 + signal where one ended it).
    @discardableResult
    public func waitForExit() async -> Int32 {
        _ = await wait { _ in false }
        return state.withLock { $0.status ?? -1 }
    }

    /// Waits for a line that contains `text`; false where the program ended without one among its last 200 lines.
    public func waitForLine(containing text: String) async -> Bool {
        _ = await wait { state in state.lines.contains { $0.contains(text) } }
        return output.contains(text)
    }

    /// True once `condition` holds, false where the program ended before.
    private func wait(until condition: @escaping @Sendable (borrowing State) -> Bool) async -> Bool {
        while true {
            let (holds, ended) = state.withLock { (condition($0), $0.status != nil) }
            if holds || ended { return holds }
            await withCheckedContinuation { continuation in
                let already = state.withLock { state in
                    if condition(state) || state.status != nil { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if already { continuation.resume() }
            }
        }
    }

    private func endLifeline() {
        let descriptor = state.withLock { state in
            defer { state.lifeline = -1 }
            return state.lifeline
        }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Reads the output to its end on a thread of its own, then reaps the shell.
    private func read(_ descriptor: Int32, readyLine: String?) {
        var rest: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = chunk.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            rest.append(contentsOf: chunk[..<count])
            while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: rest[..<newline], as: UTF8.self)
                rest.removeSubrange(...newline)
                took(line, readyLine: readyLine)
            }
        }
        close(descriptor)
        var status: Int32 = 0
        while waitpid(keeper, &status, 0) < 0 && errno == EINTR {}
        let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        endLifeline()
        update { $0.status = code }
    }

    private func took(_ line: String, readyLine: String?) {
        update { state in
            if state.program == nil, let id = pid_t(line) {
                state.program = id
                return
            }
            if state.lines.count == 200 { state.lines.removeFirst() }
            state.lines.append(line)
            if let readyLine, line.contains(readyLine) { state.ready = true }
        }
    }

    private func update(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Spawns in a process group of its own; returns the id, the write end of its standard input and the read end of its output.
    ///
    /// One at a time: between `pipe` and `fcntl` another child would inherit the lifeline, and keep it open after this process.
    static func spawn(_ command: [String]) throws -> (pid_t, lifeline: Int32, output: Int32) {
        try spawning.withLock { _ in try spawnAlone(command) }
    }

    private static let spawning = Mutex(())

    private static func spawnAlone(_ command: [String]) throws -> (pid_t, lifeline: Int32, output: Int32) {
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard pipe(&input) == 0, pipe(&output) == 0 else { throw TestSupportError("pipe: errno \(errno)") }
        for descriptor in input + output { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, input[0], 0)
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        posix_spawn_file_actions_adddup2(&actions, output[1], 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        // Threads of a Swift process block most signals, and a child would go on to.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
            for argument in arguments { free(argument) }
            close(input[0])
            close(output[1])
        }
        var id: pid_t = 0
        let failure = posix_spawn(&id, command[0], &actions, &attributes, arguments, environ)
        guard failure == 0 else {
            close(input[1])
            close(output[0])
            throw TestSupportError("spawn \(command[0]): errno \(failure)")
        }
        return (id, input[1], output[0])
    }
}
