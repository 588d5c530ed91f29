/// One operation of a commit whose structure holds.
public struct CommitOperation: Hashable, Sendable {
    public var action: RepoOperation.Action
    /// An NSID.
    public var collection: String
    public var rkey: String
    /// Of the record; nil at a delete.
    public var cid: CID?
    /// Of the record before, where the host says it.
    public var prevCID: CID?
    /// Where the record's DAG-CBOR lies in the message's storage (the frame); nil at a delete. Its digest is `cid`'s.
    public var record: Range<Int>?

    public var path: String { "\(collection)/\(rkey)" }

    /// The record as JSON, walked strictly on the way; `storage` is that of the message. Empty at a delete; throws as
    /// ``DAGJSON/json(_:of:)``.
    public func json(in storage: [UInt8]) throws(FormatError) -> [UInt8] {
        guard let record else { return [] }
        return try DAGJSON.json(record, of: storage)
    }
}
