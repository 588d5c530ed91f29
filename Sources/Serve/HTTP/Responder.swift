import Events

/// Says what to do about a request; called on an event loop, so it neither waits nor computes for long.
protocol Responder: Sendable {
    func decide(_ request: Request) -> Decision
}

enum Decision: Sendable {
    case reply(HTTPReply)
    /// Needs Redis or Postgres: done outside of the event loop, a bounded number at a time.
    case compute(@Sendable () async -> HTTPReply)
    /// The same, once the body is here; empty where the request has none. Other requests with a body are refused. One that changes a run waits for its
    /// turn among the changes of that run.
    case receive(changing: RunID?, @Sendable ([UInt8]) async -> HTTPReply)
    /// A stream, once it was found that there is such a run.
    case stream(@Sendable () async -> StreamOpening)
}

enum StreamOpening: Sendable {
    case accepted(StreamPlan)
    case refused(HTTPReply)
}
