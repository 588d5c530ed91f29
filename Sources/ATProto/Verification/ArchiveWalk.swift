/// Visits the records of an archive in order of keys, with all checks that a whole tree allows (``RepositoryWalk``); a walk can be paused and taken up again.
///
/// Where the archive's bytes are at random access, each record is lent from where it lies. Where they are in a file, records are read ahead of the
/// walk, some megabytes at a time and in the order in which they lie in the file: whatever order a host has put its blocks into, the file is then read
/// from front to back, some times, instead of at a million places. Memory: a bit a block, the nodes down to the key, and what is read ahead.
public struct ArchiveWalk: Sendable {
    /// A record that is lent: valid until the body that it is given to returns.
    public struct Record {
        /// `collection/rkey`: one slash, ASCII, at most ``Limits/mstKeyBytes``. Whether both are what they should be is for the caller to check.
        public let key: UnsafeRawBufferPointer
        public let cid: CID
        /// Its data, of which is known that the digest is `cid`'s.
        public let bytes: UnsafeRawBufferPointer

        public var path: String { String(decoding: key, as: UTF8.self) }
    }

    private var tree: TreeWalk<ArchiveBlocks>
    private var ahead: RecordsAhead
    private var failure: FormatError?

    init(root: CID, blocks: ArchiveBlocks, aheadBytes: Int) throws(FormatError) {
        tree = try TreeWalk(root: root, store: blocks)
        ahead = RecordsAhead(blocks.source, bytesMax: aheadBytes)
    }

    /// Gives the next record to `body`; false after the last. Throws as ``RepositoryWalk/next()``, and then the same each time.
    public mutating func next(_ body: (Record) -> Void) throws(FormatError) -> Bool {
        if let failure { throw failure }
        do throws(FormatError) {
            return try ahead.next(&tree, body)
        } catch {
            failure = error
            throw error
        }
    }
}
