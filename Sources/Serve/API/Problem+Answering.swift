import Ledger
import Logging

extension Problem {
    /// Why a request could not be answered: as it is where it is a problem already, else told to the log and, as far as it may be, to the client.
    init(answering error: any Error, _ logger: Logger) {
        if let problem = error as? Problem {
            self = problem
            return
        }
        logger.warning("a request could not be answered", metadata: ["error": "\(error)"])
        if let error = error as? LedgerError, [.unavailable, .contention, .notMigrated].contains(error.code) {
            self.init(.unavailable, "the ledger does not answer: \(error.code.rawValue)")
        } else {
            self.init(.failed, "this could not be answered; the server's log says why")
        }
    }
}
