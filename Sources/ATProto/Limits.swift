/// Bounds of the protocol and of this module, in bytes unless the name says otherwise.
///
/// Source: the specifications of event streams, sync and repositories; those without a source there are marked as our own.
public enum Limits {
    public static let frameBytes = 5_000_000
    public static let commitBlocksBytes = 2_000_000
    public static let commitOperations = 200
    public static let recordBytes = 1 << 20
    public static let syncBlocksBytes = 10_000
    /// How far a revision may lie ahead of the clock.
    public static let revAheadMicroseconds: Int64 = 5 * 60 * 1_000_000
    /// `seq` is 1 up to this.
    public static let sequence: Int64 = 1 << 53
    public static let mstKeyBytes = 1024
    /// Our own: levels of data that are read, in CBOR as in JSON; deeper data is refused before the stack is at risk.
    ///
    /// A value is on level 1, what stands in an array or map is on the next level. Bytes and links take two, as in JSON they are objects with a
    /// text in them: so what one form may hold, the other may.
    public static let nesting = 64
    /// Our own: length of a DID document that is read.
    public static let didDocumentBytes = 128 * 1024
    /// Of a label's value; the lexicon's bound.
    public static let labelValueBytes = 128
    /// Of a label's subject: the bound of addresses in lexicons.
    public static let labelSubjectBytes = 8 * 1024
    /// Our own: of one label with all its fields. Those of the lexicon need less.
    public static let labelBytes = 16 * 1024
    /// Our own: labels of one message.
    public static let labels = 10_000
    /// Our own: roots of a CAR header that are read.
    public static let carRoots = 16
    /// Our own: a CAR header that is read in pieces. Sixteen roots take 700 bytes.
    public static let carHeaderBytes = 4096
    /// A block of a repository, without its CID. The specifications bound records only (1 MiB); IPFS, where CIDs and CARs come from, exchanges no
    /// blocks above 2 MiB, and its readers of CARs refuse them.
    public static let blockBytes = 2 << 20
    /// Our own: blocks of a repository that are indexed. A repository of 256 MB has less than a million.
    public static let repositoryBlocks = 4_000_000
    /// Our own: bytes of the nodes from the root of a tree down to one key, which a walk holds. Those of a million keys take a few thousand.
    public static let mstPathBytes = 16 << 20
}
