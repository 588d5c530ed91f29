import ATProto

/// A label as a labeler made it. The later one of the same identity counts.
public struct SimulatedLabel: Hashable, Sendable {
    /// What makes two labels the same one.
    struct Identity: Hashable, Sendable {
        var uri: String
        var cid: String?
        var val: String
    }

    /// The labeler's DID.
    public var src: String
    /// `at://did/collection/rkey`, or a DID alone.
    public var uri: String
    /// The version of a record that it is about; nil is any.
    public var cid: String?
    public var val: String
    /// Withdraws the one before.
    public var neg: Bool
    public var cts: String
    /// When it ends by itself, in microseconds since 1970.
    public var expiryMicroseconds: Int64?
    /// 64 bytes; nil of an unsigned label.
    public var signature: [UInt8]?

    public var exp: String? { expiryMicroseconds.map { Timestamp.text(microseconds: $0) } }

    var identity: Identity { Identity(uri: uri, cid: cid, val: val) }

    /// As DAG-CBOR; without the signature it is what is signed. All keys have three letters, so their order is that of the alphabet.
    func encode(into cbor: inout CBORWriter, signed: Bool = true) {
        let signature = signed ? signature : nil
        cbor.map(count: 5 + (cid == nil ? 0 : 1) + (exp == nil ? 0 : 1) + (neg ? 1 : 0) + (signature == nil ? 0 : 1))
        if let cid {
            cbor.text("cid")
            cbor.text(cid)
        }
        cbor.text("cts")
        cbor.text(cts)
        if let exp {
            cbor.text("exp")
            cbor.text(exp)
        }
        if neg {
            cbor.text("neg")
            cbor.bool(true)
        }
        if let signature {
            cbor.text("sig")
            cbor.byteString(signature)
        }
        cbor.text("src")
        cbor.text(src)
        cbor.text("uri")
        cbor.text(uri)
        cbor.text("val")
        cbor.text(val)
        cbor.text("ver")
        cbor.integer(1)
    }

    mutating func sign(with key: SigningKey) throws(FormatError) {
        var cbor = CBORWriter(capacity: 256)
        encode(into: &cbor, signed: false)
        signature = try key.sign(cbor.bytes)
    }

    /// Its line in `/sim/labels`. No value of it needs escaping.
    var line: String {
        var line = "{\"src\":\"\(src)\",\"uri\":\"\(uri)\""
        if let cid { line += ",\"cid\":\"\(cid)\"" }
        line += ",\"val\":\"\(val)\",\"cts\":\"\(cts)\""
        if let exp { line += ",\"exp\":\"\(exp)\"" }
        return line + ",\"signed\":\(signature != nil)}\n"
    }
}
