internal import Broker
internal import Ledger

/// Why a shard's pipeline ended, and what that means for the shard. It never means anything for another one.
struct ShardFailure: Error, Hashable, Sendable, CustomStringConvertible {
    enum Kind: String, Hashable, Sendable {
        /// Another process owns the shard, or may by now: everything is abandoned.
        case fenced
        /// Redis or Postgres did not answer: tried again after a back-off.
        case unavailable
        /// An impossible state of our own: the shard is halted with this reason, and tried again in case it was mended.
        case corrupt
        /// Anything else: tried again, halted when it stays.
        case other
    }

    var kind: Kind
    var message: String

    static let fenced = ShardFailure(kind: .fenced, message: "the lease is not trusted any more")

    init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    init(_ error: any Error) {
        switch error {
        case let error as ShardFailure: self = error
        case let error as LedgerError:
            switch error.code {
            case .fenced: self.init(kind: .fenced, message: "\(error)")
            case .unavailable, .contention, .notMigrated: self.init(kind: .unavailable, message: "\(error)")
            case .corrupt, .runEnded, .refused: self.init(kind: .corrupt, message: "\(error)")
            case .other: self.init(kind: .other, message: "\(error)")
            }
        case let error as BrokerError:
            switch error.code {
            case .unavailable, .outOfMemory, .notWritable: self.init(kind: .unavailable, message: "\(error)")
            case .corrupt: self.init(kind: .corrupt, message: "\(error)")
            case .idTooSmall, .other: self.init(kind: .other, message: "\(error)")
            }
        default: self.init(kind: .other, message: "\(error)")
        }
    }

    var description: String { "\(kind.rawValue): \(message)" }
}
