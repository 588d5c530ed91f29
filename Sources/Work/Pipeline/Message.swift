internal import Events
internal import Ledger

/// One message on its way through a shard: as read from the stream, or taken out of the held table.
struct Message: Sendable {
    var entry: UpstreamEntry
    /// Set where it was held before.
    var held: HeldPlace?

    struct HeldPlace: Sendable {
        var id: Int64
        var reason: HeldMessage.Reason
        var since: WallTime
        var dueAt: WallTime
        var attempts: Int
        /// There is no room to hold it any longer: it is resolved now, whatever is missing.
        var isForced: Bool
    }
}

/// What a message turned out to be, before any state is asked.
enum Judgement: Sendable {
    case commit(VerifiedCommitParts)
    case sync(rev: String, data: [UInt8], mark: String)
    case identity(time: WallTime, body: [UInt8])
    case account(time: WallTime, active: Bool, status: String, body: [UInt8])
    /// Its DID's key could not be had in time.
    case waitsForIdentity
    case refused(reason: String, detail: String)
    /// Its revision, or a later one, was taken already.
    case duplicate
    /// Of a type that nobody knows here: counted and passed.
    case ignored
}

/// What is kept of a verified commit: its place in the chain, and its records as JSON.
struct VerifiedCommitParts: Sendable {
    struct Record: Sendable {
        var action: LogEvent.Action
        var collection: String
        var rkey: String
        var cid: String
        /// JSON; empty at a delete.
        var body: [UInt8]
    }

    var rev: String
    var since: String?
    var prevData: [UInt8]?
    var data: [UInt8]
    /// Lenient marks, joined by commas.
    var mark: String
    var records: [Record]
    /// Records whose bytes are not in the data model, with the reason: refused, the commit around them stands.
    var badRecords: [String]
}
