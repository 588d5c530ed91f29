import Logging

/// Passes on the texts of what is logged, for a test to wait for.
struct SignalLogHandler: LogHandler {
    let continuation: AsyncStream<String>.Continuation
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: Logging.LogEvent) { continuation.yield(event.message.description) }

    static func logger() -> (Logger, AsyncStream<String>) {
        let (texts, continuation) = AsyncStream<String>.makeStream()
        return (Logger(label: "test") { _ in SignalLogHandler(continuation: continuation) }, texts)
    }
}
