import ArgumentParser
import Fleet
import Glibc

/// Why a command ends without having done its work: one line for people, one code for scripts.
struct Failure: Error, CustomStringConvertible {
    var code: ExitCode
    var description: String

    init(_ description: String, code: ExitCode = ExitCodes.failed) {
        self.code = code
        self.description = description
    }

    /// Says what went wrong on standard error and ends the process.
    static func end(with error: any Error) -> Never {
        switch error {
        case let failure as Failure:
            Console.complain("weir: \(failure.description)")
            exit(failure.code.rawValue)
        case let code as ExitCode:
            exit(code.rawValue)
        case let error as ConfigurationError:
            Console.complain("weir: \(error)")
            exit(ExitCodes.usage.rawValue)
        case let error as LocalServerError:
            Console.complain("weir: \(error)")
            exit(ExitCodes.failed.rawValue)
        case is CancellationError:
            exit(ExitCodes.interrupted.rawValue)
        default:
            let code = Weir.exitCode(for: error)
            let message = Weir.fullMessage(for: error)
            if code == .success {
                Console.print(message)
                exit(0)
            }
            Console.complain(code == .validationFailure ? message : "weir: \(error)")
            exit(code == .validationFailure ? ExitCodes.usage.rawValue : ExitCodes.failed.rawValue)
        }
    }
}
