/// Bytes under their address.
public struct Block: Hashable, Sendable {
    public var cid: CID
    public var bytes: [UInt8]

    public init(cid: CID, bytes: [UInt8]) {
        self.cid = cid
        self.bytes = bytes
    }

    /// Computes the address.
    public init(hashing bytes: [UInt8], codec: CID.Codec = .dagCBOR) { self.init(cid: CID(hashing: bytes, codec: codec), bytes: bytes) }
}
