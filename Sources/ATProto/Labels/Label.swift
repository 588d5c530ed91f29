/// A label (`com.atproto.label.defs#label`): what one source says of one subject.
///
/// One that was read keeps its own bytes, over which its signature is; one that was made has the bytes that ``init(src:uri:cid:val:neg:cts:exp:ver:)``
/// and ``signed(by:)`` write. What is not its form alone (whether `cts` is a time, whose label it may be) is for whoever takes it.
/// Source: the lexicon and the specification of labels.
public struct Label: Hashable, Sendable {
    public let ver: Int64?
    /// The DID that puts the label.
    public let src: String
    /// The subject: `at://did:…/…`, or a DID alone for the whole account.
    public let uri: String
    /// The version of the subject that is meant, as text; nil for all of them.
    public let cid: String?
    /// 1 to ``Limits/labelValueBytes`` bytes, without control characters.
    public let val: String
    /// The label is withdrawn.
    public let neg: Bool
    /// The labeler's own text, as it came.
    public let cts: String
    public let exp: String?
    /// Nil where it is not signed.
    public let signature: [UInt8]?
    /// The label as DAG-CBOR, at most ``Limits/labelBytes`` bytes.
    public let encoded: [UInt8]
    /// What a signature is over: one form, or two where it may have been made without a `neg` that is false.
    private let unsignedForms: [[UInt8]]

    /// Makes a label without a signature, in the form of most labelers: `neg` stands there only where it is true.
    public init(
        src: String, uri: String, cid: String? = nil, val: String, neg: Bool = false, cts: String, exp: String? = nil, ver: Int64? = 1
    ) {
        self.ver = ver
        self.src = src
        self.uri = uri
        self.cid = cid
        self.val = val
        self.neg = neg
        self.cts = cts
        self.exp = exp
        signature = nil
        encoded = Self.fields(src: src, uri: uri, cid: cid, val: val, neg: neg, cts: cts, exp: exp, ver: ver).encode()
        unsignedForms = [encoded]
    }

    /// The same label with a signature.
    public func signed(by key: SigningKey) throws(FormatError) -> Label {
        let signature = try key.sign(unsignedForms[0])
        guard case .map(var map) = try CBORValue.decode(unsignedForms[0]) else { throw FormatError(.message, "a label is a map") }
        map["sig"] = .bytes(signature)
        return try Label(CBORValue.map(map).encode())
    }

    /// Whether the signature is this key's; false where there is none.
    public func isSigned(by key: VerificationKey) -> Bool {
        guard let signature else { return false }
        return unsignedForms.contains { key.verify(signature: signature, message: $0) }
    }

    /// Reads a label; throws `cbor` where it is not canonical DAG-CBOR, `message` where a field is missing or not what it should be, `tooLarge`
    /// above a bound. Unknown fields are passed over, and a null is as good as no field.
    public init(_ bytes: [UInt8]) throws(FormatError) {
        guard bytes.count <= Limits.labelBytes else { throw FormatError(.tooLarge, "a label of more than \(Limits.labelBytes) bytes") }
        let fields = try reading(bytes) { reader throws(FormatError) in
            let fields = try LabelFields(&reader)
            guard reader.isAtEnd else { throw FormatError(.message, "bytes after the label", offset: reader.offset) }
            return fields
        }
        guard let src = fields.text["src"], Syntax.isDID(src) else { throw FormatError(.message, "no DID in src") }
        guard let uri = fields.text["uri"], Syntax.isLabelSubject(uri) else {
            throw FormatError(.message, "no at:// address of a DID, and no DID, in uri")
        }
        if let cid = fields.text["cid"], !Syntax.isCIDText(cid) { throw FormatError(.message, "no CID in cid") }
        guard let val = fields.text["val"], (1...Limits.labelValueBytes).contains(val.utf8.count), val.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else { throw FormatError(.message, "no val of 1 to \(Limits.labelValueBytes) bytes without control characters") }
        guard let cts = fields.text["cts"] else { throw FormatError(.message, "no cts") }
        ver = fields.ver
        self.src = src
        self.uri = uri
        cid = fields.text["cid"]
        self.val = val
        neg = fields.neg ?? false
        self.cts = cts
        exp = fields.text["exp"]
        signature = fields.signature
        encoded = bytes
        unsignedForms =
            fields.neg == false
            ? [fields.leaving(out: ["sig"], of: bytes), fields.leaving(out: ["sig", "neg"], of: bytes)]
            : [fields.leaving(out: ["sig"], of: bytes)]
    }

    private static func fields(
        src: String, uri: String, cid: String?, val: String, neg: Bool, cts: String, exp: String?, ver: Int64?
    ) -> CBORValue {
        var map = CBORMap([("src", .text(src)), ("uri", .text(uri)), ("val", .text(val)), ("cts", .text(cts))])
        if let cid { map["cid"] = .text(cid) }
        if neg { map["neg"] = .bool(true) }
        if let exp { map["exp"] = .text(exp) }
        if let ver { map["ver"] = .integer(ver) }
        return .map(map)
    }
}
