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
        var utf8 = text.utf8.makeIterator()
        guard text.utf8.count == 59, utf8.next() == UInt8(ascii: "b") else { return nil }
        guard let binary = Base32.decode(text.utf8.dropFirst()), let cid = try? CID(binary: binary) else { return nil }
        self = cid
    }

    /// Reads 36 bytes at `offset`; nil where they are not there or another kind of CID.
    init?(loading buffer: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, buffer.count - offset >= Self.binaryLength else { return nil }
        guard buffer[offset] == 1, let codec = Codec(rawValue: buffer[offset + 1]), buffer[offset + 2] == 0x12, buffer[offset + 3] == 0x20 else {
            return nil
        }
        self.init(codec: codec, digest: Digest(loading: buffer, at: offset + 4))
    }

    /// The binary form, 36 bytes.
    public var binary: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.binaryLength)
        append(to: &bytes)
        return bytes
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(1)
        bytes.append(codec.rawValue)
        bytes.append(0x12)
        bytes.append(0x20)
        digest.withBytes { bytes.append(contentsOf: $0) }
    }

    /// The text form.
    public var description: String {
        var text: [UInt8] = []
        appendText(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the text form in ASCII.
    func appendText(to text: inout [UInt8]) {
        text.append(UInt8(ascii: "b"))
        binary.withUnsafeBytes { Base32.encode($0, into: &text) }
    }
}
