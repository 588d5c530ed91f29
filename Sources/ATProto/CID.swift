/// The address of a block: CIDv1, codec dag-cbor or raw, SHA-256. Stored inline, without heap.
///
/// In DAG-CBOR and in CAR sections its binary form has 36 bytes; as text it is `b` and 58 characters of base32.
/// Source: the data model's blessed CID formats.
public struct CID: Hashable, Sendable, CustomStringConvertible {
    public enum Codec: UInt8, Hashable, Sendable {
        /// Of commits, MST nodes and records.
        case dagCBOR = 0x71
        /// Of blobs.
        case raw = 0x55
    }

    public let codec: Codec
    public let digest: Digest

    /// Length of the binary form in bytes.
    public static let binaryLength = 36

    public init(codec: Codec, digest: Digest) {
        self.codec = codec
        self.digest = digest
    }

    /// The address of a block of `bytes`.
    public init(hashing bytes: [UInt8], codec: Codec = .dagCBOR) { self.init(codec: codec, digest: Digest(hashing: bytes)) }

    /// Reads the binary form; throws `cid` where it is another version, codec, hash or length.
    public init(binary: [UInt8]) throws(FormatError) {
        guard binary.count == Self.binaryLength, let cid = binary.withUnsafeBytes({ CID(loading: $0, at: 0) }) else {
            throw FormatError(.cid, "not a CIDv1 of dag-cbor or raw with SHA-256")
        }
        self = cid
    }

    /// Reads the text form, base32 in lower case with the prefix `b`; nil for any other.
    public init?(_ text: some StringProtocol) {
        guard let cid = text.utf8.withContiguousStorageIfAvailable({ CID(text: $0) }) ?? Array(text.utf8).withUnsafeBufferPointer({ CID(text: $0) })
        else { return nil }
        self = cid
    }

    private init?(text: UnsafeBufferPointer<UInt8>) {
        guard text.count == 59, text[0] == UInt8(ascii: "b") else { return nil }
        let cid = withUnsafeTemporaryAllocation(byteCount: Self.binaryLength, alignment: 8) { binary -> CID? in
            guard Base32.decode(UnsafeBufferPointer(rebasing: text.dropFirst()), to: binary) == Self.binaryLength else { return nil }
            return CID(loading: UnsafeRawBufferPointer(binary), at: 0)
        }
        guard let cid else { return nil }
        self = cid
    }

    /// Reads 36 bytes at `offset`; nil where they are not there or another kind of CID.
    @inline(__always)
    init?(loading buffer: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, buffer.count - offset >= Self.binaryLength else { return nil }
        switch UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) {
        case Self.head(.dagCBOR): self.init(codec: .dagCBOR, digest: Digest(loading: buffer, at: offset + 4))
        case Self.head(.raw): self.init(codec: .raw, digest: Digest(loading: buffer, at: offset + 4))
        default: return nil
        }
    }

    /// The first four bytes of the binary form, the first of them lowest: version, codec, SHA-256, its length.
    @inline(__always)
    static func head(_ codec: Codec) -> UInt32 { 0x2012_0001 | UInt32(codec.rawValue) << 8 }

    /// Writes the binary form, 36 bytes; the caller has checked that there is room.
    @inline(__always)
    func store(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: Self.head(codec).littleEndian, as: UInt32.self)
        digest.store(to: target + 4)
    }

    /// The binary form, 36 bytes.
    public var binary: [UInt8] {
        Array(unsafeUninitializedCapacity: Self.binaryLength) { bytes, count in
            guard let base = bytes.baseAddress else { return }
            store(to: base)
            count = Self.binaryLength
        }
    }

    /// Appends the binary form.
    public func append(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: Self.binaryLength, alignment: 8) { binary in
            guard let base = binary.baseAddress else { return }
            store(to: base)
            bytes.append(contentsOf: UnsafeRawBufferPointer(binary))
        }
    }

    /// The text form.
    public var description: String {
        String(unsafeUninitializedCapacity: 59) { text in
            guard let base = text.baseAddress else { return 0 }
            base[0] = UInt8(ascii: "b")
            return withUnsafeTemporaryAllocation(byteCount: Self.binaryLength, alignment: 8) { binary in
                guard let bytes = binary.baseAddress else { return 0 }
                store(to: bytes)
                return 1 + Base32.encode(UnsafeRawBufferPointer(binary), to: UnsafeMutableRawPointer(base + 1))
            }
        }
    }
}
