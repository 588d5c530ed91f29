import Broker
import Events
import Ledger

/// Why a connection to an upstream ended, and what follows from it.
struct ConnectionEnd: Error, Hashable, CustomStringConvertible {
    enum Cause: Hashable {
        case socket(WebSocketError)
        /// An error frame of the upstream.
        case errorFrame(name: String, message: String)
        /// The upstream does not know our position.
        case futureCursor(Position)
        /// The upstream numbers anew, and the numbering that we know of is the last that can be written down: its state is damaged.
        case epochsExhausted
        /// Where a labeler listens could not be told.
        case unresolved(String)
        /// A labeler's document names another address than the one that is connected to.
        case moved(to: String)
        /// A worker asked for a session at the committed watermark.
        case rewind(session: Int64)
        case ledger(LedgerError)
        case broker(BrokerError)
        /// What was read could not be written within the limit of a drain.
        case undrained
        case shutdown
        case leaseLost
        case cancelled
        /// An error that no layer below should throw.
        case unexpected(String)
    }

    let cause: Cause

    init(_ cause: Cause) { self.cause = cause }

    /// Whatever was thrown below, by its cause.
    init(_ error: any Error) {
        switch error {
        case let error as ConnectionEnd: self = error
        case let error as WebSocketError: cause = .socket(error)
        case let error as LedgerError: cause = error.code == .fenced ? .leaseLost : .ledger(error)
        case let error as BrokerError: cause = .broker(error)
        case is CancellationError: cause = .cancelled
        default: cause = .unexpected("\(error)")
        }
    }

    /// A short stable word for a log's field and a metric's label.
    var reason: String {
        switch cause {
        case .socket(let error): error.reason
        case .errorFrame("ConsumerTooSlow", _): "consumer_too_slow"
        case .errorFrame: "error_frame"
        case .futureCursor: "future_cursor"
        case .epochsExhausted: "epochs_exhausted"
        case .unresolved: "unresolved"
        case .moved: "moved"
        case .rewind: "rewind"
        case .ledger(let error): "ledger_\(error.code.rawValue)"
        case .broker(let error): "broker_\(error.code.rawValue)"
        case .undrained: "undrained"
        case .shutdown: "shutdown"
        case .leaseLost: "lease_lost"
        case .cancelled: "cancelled"
        case .unexpected: "unexpected"
        }
    }

    var description: String {
        switch cause {
        case .socket(let error): error.description
        case .errorFrame(let name, let message): "the upstream said \(name): \(message)"
        case .futureCursor(let position): "the upstream says that \(position) lies in its future"
        case .epochsExhausted:
            "the upstream numbers anew, and its epoch in the ledger is the highest there is: correct upstreams and watermarks there"
        case .unresolved(let why): "where it listens is not known: \(why)"
        case .moved(let address): "the labeler's document names \(address) now"
        case .rewind(let session): "a hole was found in session \(session)"
        case .ledger(let error): error.description
        case .broker(let error): error.description
        case .undrained: "not all that was read could be written in time"
        case .shutdown: "this process shuts down"
        case .leaseLost: "the lease is another's, or could not be renewed"
        case .cancelled: "cancelled"
        case .unexpected(let text): text
        }
    }

    /// What the server asked for, where it refused.
    var retryAfter: Duration? {
        guard case .socket(let error) = cause else { return nil }
        return error.retryAfter
    }
}
