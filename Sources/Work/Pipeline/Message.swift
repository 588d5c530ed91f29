package import Events
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
package enum Judgement: Sendable {
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
package struct VerifiedCommitParts: Sendable {
    package struct Record: Sendable {
        package var action: LogEvent.Action
        package var collection: String
        package var rkey: String
        package var cid: String
        /// JSON; empty at a delete.
        package var body: [UInt8]
    }

    package var rev: String
    package var since: String?
    package var prevData: [UInt8]?
    package var data: [UInt8]
    /// Lenient marks, joined by commas.
    package var mark: String
    package var records: [Record]
    /// Records whose bytes are not in the data model, with the reason: refused, the commit around them stands.
    package var badRecords: [String]
}
