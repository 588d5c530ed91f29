/// A part of the fleet that a process can play.
public enum Role: String, Hashable, Sendable, CaseIterable {
    /// Reads relays into the work streams.
    case ingestFirehose = "ingest-firehose"
    /// Reads labelers into the work streams.
    case ingestLabeler = "ingest-labeler"
    /// Takes shards into the log, and publishes runs to their outlets.
    case worker
    /// Serves clients.
    case api
    /// A simulated network to read from.
    case simulator
}
