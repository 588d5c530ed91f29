import Outbox
import ServiceLifecycle

extension RoleServices {
    /// Makes the log's days and drops them, in one worker of all.
    func retention() throws -> any Service {
        var retention = RetentionConfiguration()
        retention.keepDays = configuration.logKeepDays
        retention.keepDaysMax = configuration.logKeepDaysMax
        let problems = retention.problems()
        guard problems.isEmpty else { throw FleetError(code: .refused, message: problems.joined(separator: "; ")) }
        return RetentionService(
            configuration: retention, ledger: connections.ledger, worker: connections.name, logger: logger("retention"))
    }
}
