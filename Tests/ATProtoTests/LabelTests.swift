import ATProto
import Testing

@Suite("Labels")
struct LabelTests {
    private let src = "did:plc:ar7c4by46qjdydhdevvrndac"
    private let subject = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
    private var uri: String { "at://\(subject)/app.bsky.feed.post/3lhhvfanmos22" }
    private let cts = "2026-01-02T03:04:05.678Z"
    private var required: [(String, CBORValue)] { [("src", .text(src)), ("uri", .text(uri)), ("val", "spam"), ("cts", .text(cts))] }

    @Test("a message reads back as it was written, and routes by the DIDs of its subjects")
    func roundTrip() throws {
        let labels = [
            Label(src: src, uri: uri, cid: CID(hashing: [1]).description, val: "spam", cts: cts),
            Label(src: src, uri: "did:web:other.test", val: "!hide", neg: true, cts: cts, exp: "2027-01-01T00:00:00Z", ver: nil),
        ]
        let message = LabelsMessage(seq: 7, labels: labels)
        #expect(try LabelsMessage(frame: message.frame()) == message)
        #expect(try StreamMessage(frame: message.frame()) == .labels(message))
        #expect(FrameRoute.parse(message.frame()) == .labels(seq: 7, subjects: [subject, "did:web:other.test"]))
        #expect(FrameRoute.parse(LabelsMessage(seq: 8, labels: []).frame()) == .labels(seq: 8, subjects: []))
    }

    @Test("every field is read, and unknown ones are passed over", arguments: [true, false])
    func fields(isNull: Bool) throws {
        let given: [(String, CBORValue)] = [
            ("src", .text(src)), ("uri", .text(uri)), ("cid", .text("bafyreig")), ("val", "porn"), ("neg", true), ("cts", .text(cts)),
            ("exp", "later"), ("ver", 3), ("sig", .bytes([1, 2])), ("more", [1, ["x": .null]]), ("few", 1),
        ]
        var value = CBORMap(given)
        if isNull { for name in ["cid", "neg", "exp", "ver", "sig"] { value[name] = .null } }
        let label = try Label(CBORValue.map(value).encode())
        #expect(label.src == src && label.uri == uri && label.val == "porn" && label.cts == cts)
        #expect(label.cid == (isNull ? nil : "bafyreig") && label.exp == (isNull ? nil : "later"))
        #expect(label.ver == (isNull ? nil : 3) && label.neg == !isNull && label.signature == (isNull ? nil : [1, 2]))
    }

    @Test("a label that cannot be taken spoils itself only, and still says whose it is", arguments: LabelTests.bad)
    func malformed(_ field: String, _ value: CBORValue?) throws {
        var map = CBORMap(required)
        map[field] = value
        let good = Label(src: src, uri: "did:web:other.test", val: "spam", cts: cts)
        let body: CBORValue = ["seq": 9, "labels": [.map(map), try CBORValue.decode(good.encoded)]]
        let frame = (["op": 1, "t": "#labels"] as CBORValue).encode() + body.encode()
        let message = try LabelsMessage(frame: frame)
        guard case .malformed(_, let did, let encoded) = message.labels[0] else {
            Issue.record("taken: \(message.labels[0])")
            return
        }
        #expect(did == (field == "uri" ? nil : subject))
        #expect(encoded == CBORValue.map(map).encode())
        #expect(message.labels[1] == .label(good))
        #expect(message.frame() == frame)
        #expect(FrameRoute.parse(frame) == .labels(seq: 9, subjects: [did, "did:web:other.test"]))
    }

    static let bad: [(String, CBORValue?)] = [
        ("src", nil), ("src", "x"), ("uri", nil), ("uri", "at://handle.test/a.b.c/x"), ("uri", "https://x.test"), ("uri", "at://did:plc:a b"),
        ("cid", "no cid"), ("val", nil), ("val", ""), ("val", .text(String(repeating: "v", count: 129))), ("val", "a\u{0}b"), ("cts", nil),
    ]

    @Test("fields of another kind, and labels that are no maps or too long, are malformed and nothing else")
    func kinds() throws {
        var long = CBORMap(required)
        long["more"] = .text(String(repeating: "x", count: Limits.labelBytes))
        var number = long
        number["more"] = nil
        number["cts"] = 5
        let body: CBORValue = ["seq": 9, "labels": [.map(long), .map(number), 5, [1], .null]]
        let message = try LabelsMessage(frame: (["op": 1, "t": "#labels"] as CBORValue).encode() + body.encode())
        #expect(message.labels.count == 5)
        for item in message.labels {
            guard case .malformed(_, let did, let encoded) = item else {
                Issue.record("taken: \(item)")
                continue
            }
            #expect(did == nil && encoded.count <= Limits.labelBytes)
        }
    }

    @Test("a message that cannot be read as a whole is malformed, and keeps its number where it has one")
    func badMessages() throws {
        func frame(_ body: CBORValue) -> [UInt8] { (["op": 1, "t": "#labels"] as CBORValue).encode() + body.encode() }
        let tooMany = CBORValue.array(Array(repeating: 1, count: Limits.labels + 1))
        for (body, seq) in [
            (["seq": 5] as CBORValue, 5 as Int64?), (["seq": 5, "labels": 7], 5), (["seq": 5, "labels": tooMany], 5), (["labels": []], nil),
        ] {
            #expect(throws: FormatError.self) { try LabelsMessage(frame: frame(body)) }
            guard case .malformed(_, let found) = FrameRoute.parse(frame(body)) else {
                Issue.record("routed: \(body)")
                continue
            }
            #expect(found == seq)
        }
        for seq in [0, -1, (1 << 53) + 1] as [Int64] {
            #expect(throws: FormatError.self) { try LabelsMessage(frame: frame(["seq": .integer(seq), "labels": []])) }
        }
        #expect(throws: FormatError.self) { try LabelsMessage(frame: IdentityMessage(seq: 1, did: subject, time: "t").frame()) }
    }

    @Test("a signature is over the label without it", arguments: KeyCurve.allCases)
    func signatures(curve: KeyCurve) throws {
        let key = try SigningKey(curve, secret: [UInt8](repeating: 7, count: 32))
        let other = try SigningKey(curve, secret: [UInt8](repeating: 8, count: 32))
        let label = try Label(src: src, uri: uri, val: "spam", neg: true, cts: cts).signed(by: key)
        #expect(label.isSigned(by: key.verificationKey) && !label.isSigned(by: other.verificationKey))
        #expect(try LabelsMessage(frame: LabelsMessage(seq: 1, labels: [label]).frame()).labels == [.label(label)])
        #expect(!Label(src: src, uri: uri, val: "spam", cts: cts).isSigned(by: key.verificationKey))
        var changed = try #require(CBORValue.decode(label.encoded).fields)
        changed["val"] = "spin"
        #expect(try !Label(CBORValue.map(changed).encode()).isSigned(by: key.verificationKey))
    }

    /// Labelers differ: some sign `neg: false` as they send it, others sign without it.
    @Test("a `neg` that is false may stand in what is signed or not; one that is true must", arguments: [true, false])
    func signedNegation(isInSignature: Bool) throws {
        let key = try SigningKey(.k256, secret: [UInt8](repeating: 7, count: 32))
        var map = CBORMap(required)
        map["ver"] = 1
        if isInSignature { map["neg"] = false }
        let signature = try key.sign(CBORValue.map(map).encode())
        map["sig"] = .bytes(signature)
        map["neg"] = false
        #expect(try Label(CBORValue.map(map).encode()).isSigned(by: key.verificationKey))
        map["neg"] = true
        #expect(try !Label(CBORValue.map(map).encode()).isSigned(by: key.verificationKey))
    }

    @Test("a label is told from every other by source, subject, version and value, byte for byte")
    func identity() {
        func label(_ src: String = "did:plc:a", _ uri: String = "did:plc:b", _ cid: String? = nil, _ val: String = "v") -> LabelIdentity {
            LabelIdentity(Label(src: src, uri: uri, cid: cid, val: val, cts: cts))
        }
        let all = [
            label(), label("did:plc:aa"), label("did:plc:a", "did:plc:bb"), label("did:plc:a", "did:plc:b", "bafyreig"),
            label("did:plc:a", "did:plc:b", nil, "w"), label("did:plc:a", "did:plc:b", nil, "\u{e9}"),
            label("did:plc:a", "did:plc:b", nil, "e\u{301}"),
            label("did:plc:a", "did:plc:b", "v", "v"), label("did:plc:a", "did:plc:b", "vv", ""),
        ]
        #expect(Set(all).count == all.count)
        #expect(label().subject == LabelIdentity.subject("did:plc:b"))
        #expect(LabelIdentity(Label(src: "did:plc:a", uri: "did:plc:b", val: "v", neg: true, cts: "t", exp: "u")) == label())
    }

    @Test(
        "the account of a subject is the DID of its address, or the DID itself",
        arguments: [
            ("at://did:plc:a/x.y.z/k", "did:plc:a"), ("at://did:web:b.test", "did:web:b.test"), ("did:plc:c", "did:plc:c"),
            ("at://did:plc:a?q", "did:plc:a"), ("at://did:plc:a#f", "did:plc:a"), ("at://", nil), ("at://b.test/x.y.z/k", nil), ("", nil),
            ("did:plc:", nil), ("https://did:plc:a", nil), ("at://did:plc:a/\u{7f}", nil), ("at://did:plc:a/ü", nil),
        ])
    func subjects(uri: String, did: String?) {
        #expect(Syntax.did(ofSubject: uri) == did)
    }
}

extension CBORValue {
    fileprivate var fields: CBORMap? {
        guard case .map(let map) = self else { return nil }
        return map
    }
}
