import ArgumentParser

/// What a script may rely on.
enum ExitCodes {
    static let failed = ExitCode(1)
    /// A wrong argument, or a configuration that was not taken.
    static let usage = ExitCode(2)
    /// The fleet does not answer, or answers that it is not ready.
    static let notReady = ExitCode(3)
    static let interrupted = ExitCode(130)
}
