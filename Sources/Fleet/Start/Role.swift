/// A part of the fleet that a process can play.
public enum Role: String, Hashable, Sendable, CaseIterable {
    /// Reads relays into the work streams.
    case ingestFirehose = "ingest-firehose"
    /// Lists the repositories of hosts, and feeds those that are to be fetched to the workers.
    case ingestBackfill = "ingest-backfill"
    /// Reads labelers into the work streams.
    case ingestLabeler = "ingest-labeler"
    /// Takes shards into the log, and publishes runs to their outlets.
    case worker
    /// Serves clients.
    case api
    /// A simulated network to read from.
    case simulator
}
