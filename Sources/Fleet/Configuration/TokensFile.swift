import Events
import Foundation
import Glibc
import Logging
import Serve
import Synchronization

/// Looks whether the file of `api.tokens_file` has changed, and reads it again.
///
/// A change is taken when it looks the same twice: whoever writes the file is then done. One that cannot be read, has a line that is no token, or would leave no
/// token at all (which would let everybody in) is told in the log, once, and those before hold.
final class TokensFile: Sendable {
    /// What of a file changes with its contents; all 0 where there is none.
    private struct Mark: Hashable {
        var inode: UInt64 = 0
        var bytes: Int64 = 0
        var seconds = 0
        var nanoseconds = 0

        init(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return }
            (inode, bytes) = (UInt64(status.st_ino), Int64(status.st_size))
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        }
    }

    private let path: String
    private let configuration: FleetConfiguration
    private let log: Logger
    private let marks: Mutex<(taken: Mark, seen: Mark)>

    /// Nil where no file is configured. To be made before the tokens are read at the start: what changes in between is then read again.
    init?(_ configuration: FleetConfiguration, log: Logger) {
        guard let path = configuration.apiTokensFile else { return nil }
        self.path = path
        self.configuration = configuration
        self.log = log
        let mark = Mark(path)
        marks = Mutex((mark, mark))
    }

    /// Who may use the API now; nil where nothing has changed, or what has is not taken.
    func changed() -> APIAccess? {
        let mark = Mark(path)
        let isNew = marks.withLock { marks in
            defer { marks.seen = mark }
            guard mark != marks.taken, mark == marks.seen else { return false }
            marks.taken = mark
            return true
        }
        guard isNew else { return nil }
        do {
            let access = try configuration.apiAccess()
            guard !access.tokens.isEmpty else {
                throw ConfigurationError(problems: [configuration.problem("api.tokens_file", "no token is left, and everybody would be let in")])
            }
            log.notice("api.tokens_file was read again", metadata: ["tokens": "\(access.tokens.count)"])
            return access
        } catch {
            log.error("api.tokens_file is not taken; the tokens before hold", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
