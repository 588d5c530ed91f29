import Events
import Outbox
import ServiceLifecycle

extension RoleServices {
    /// The sinks of the ledger, and those of the configuration, in every worker.
    func sinks() -> any Service {
        var sinks = SinkServiceConfiguration()
        sinks.configured = configuration.sinks
        sinks.pollEvery = configuration.publisherPoll
        sinks.leaseTTL = min(configuration.leaseTTL, .seconds(60))
        let log = logger("sinks")
        let writers = TargetWriters(
            redis: connections.redis, postgresURL: configuration.postgresURL, folder: configuration.sinkFolder,
            allowsPrivateHosts: configuration.allowsPrivateHosts, worker: connections.name, logger: log)
        return SinkService(
            configuration: sinks, store: connections.ledger, writers: writers, worker: connections.name, logger: log, seams: connections.seams)
    }
}
