/// The signed commit of a repository, version 3: `{did, rev, sig, data, prev, version}`.
public struct CommitBlock: Hashable, Sendable {
    public var did: String
    public var rev: String
    /// The root of the tree.
    public var data: CID
    /// Nearly always nil.
    public var prev: CID?
    /// 64 bytes.
    public var signature: [UInt8]
    /// SHA-256 of what was signed: the same block without `sig`.
    public let signedDigest: Digest

    /// Makes and signs a commit; returns it with its block.
    public static func signed(did: String, rev: String, data: CID, with key: SigningKey) throws(FormatError) -> (commit: CommitBlock, block: Block) {
        let unsigned = encode(did: did, rev: rev, data: data, signature: nil)
        let signature = try key.sign(unsigned)
        let commit = CommitBlock(did: did, rev: rev, data: data, prev: nil, signature: signature, signedDigest: Digest(hashing: unsigned))
        return (commit, Block(hashing: encode(did: did, rev: rev, data: data, signature: signature)))
    }

    private static func encode(did: String, rev: String, data: CID, signature: [UInt8]?) -> [UInt8] {
        var writer = CBORWriter(capacity: 256)
        writer.map(count: signature == nil ? 5 : 6)
        writer.text("did")
        writer.text(did)
        writer.text("rev")
        writer.text(rev)
        if let signature {
            writer.text("sig")
            writer.byteString(signature)
        }
        writer.text("data")
        writer.link(data)
        writer.text("prev")
        writer.null()
        writer.text("version")
        writer.integer(3)
        return writer.bytes
    }

    private init(did: String, rev: String, data: CID, prev: CID?, signature: [UInt8], signedDigest: Digest) {
        self.did = did
        self.rev = rev
        self.data = data
        self.prev = prev
        self.signature = signature
        self.signedDigest = signedDigest
    }

    /// Reads a commit block; throws `cbor` where it is not canonical, `message` where a field is missing or of another kind.
    public init(_ bytes: [UInt8], range: Range<Int>) throws(FormatError) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { throw FormatError(.message, "a range outside of the buffer") }
        self = try bytes.withRaw { buffer throws(FormatError) in try CommitBlock(buffer, range: range) }
    }

    init(_ buffer: UnsafeRawBufferPointer, range: Range<Int>) throws(FormatError) {
        var reader = CBORReader(buffer, range: range)
        let count = try reader.mapCount()
        let body = reader.offset
        var order = CBORKeyOrder()
        var did: String?
        var rev: String?
        var data: CID?
        var prev: CID?
        var hasPrev = false
        var version: Int64?
        var signature: [UInt8]?
        var signatureField = 0..<0
        for _ in 0..<count {
            let start = reader.offset
            let key = try reader.key(&order)
            if reader.equals(key, "did") {
                did = reader.string(try reader.text())
            } else if reader.equals(key, "rev") {
                rev = reader.string(try reader.text())
            } else if reader.equals(key, "sig") {
                signature = reader.array(try reader.byteString())
                signatureField = start..<reader.offset
            } else if reader.equals(key, "data") {
                data = try reader.link()
            } else if reader.equals(key, "prev") {
                prev = try reader.linkOrNull()
                hasPrev = true
            } else if reader.equals(key, "version") {
                version = try reader.integer()
            } else {
                try reader.skip()
            }
        }
        guard reader.isAtEnd else { throw FormatError(.message, "bytes after the commit", offset: reader.offset) }
        guard version == 3 else { throw FormatError(.message, "a commit of another version than 3", offset: range.lowerBound) }
        guard let did, let rev, let data, let signature, hasPrev, signature.count == 64 else {
            throw FormatError(.message, "a commit without one of did, rev, data, prev, sig", offset: range.lowerBound)
        }
        // The block is canonical, so leaving one field out of it gives the canonical form of the rest.
        var unsigned = CBORWriter(capacity: range.count)
        unsigned.map(count: count - 1)
        unsigned.encoded(UnsafeRawBufferPointer(rebasing: buffer[body..<signatureField.lowerBound]))
        unsigned.encoded(UnsafeRawBufferPointer(rebasing: buffer[signatureField.upperBound..<range.upperBound]))
        self.init(did: did, rev: rev, data: data, prev: prev, signature: signature, signedDigest: Digest(hashing: unsigned.bytes))
    }

    /// Whether the signature is this key's.
    public func isSigned(by key: VerificationKey) -> Bool { key.verify(signature: signature, digest: signedDigest) }
}
