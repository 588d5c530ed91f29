import ATProto
import Testing

@Suite("DID documents")
struct DIDDocumentTests {
    private let did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
    private let key = "zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc"

    private func document(method: String? = nil, service: String? = nil, known: String = #"["at://Atproto.com"]"#) -> String {
        let method =
            method ?? #"{"id":"\#(did)#atproto","type":"Multikey","controller":"\#(did)","publicKeyMultibase":"\#(key)"}"#
        let service =
            service ?? ##"{"id":"#atproto_pds","type":"AtprotoPersonalDataServer","serviceEndpoint":"https://enoki.us-east.host.bsky.network"}"##
        return #"""
            {"@context":["https://www.w3.org/ns/did/v1"],"id":"\#(did)","alsoKnownAs":\#(known),
             "verificationMethod":[\#(method)],"service":[\#(service)]}
            """#
    }

    private func parse(_ text: String) throws -> DIDDocument { try DIDDocument(parsing: Array(text.utf8), did: did) }

    @Test("handle, key and host are found")
    func usual() throws {
        let document = try parse(document())
        #expect(document.handle == "atproto.com")
        #expect(document.signingKey?.multikey == key)
        #expect(document.host == "https://enoki.us-east.host.bsky.network")
        #expect(document.labelKey == nil && document.labeler == nil)
    }

    @Test(
        "legacy methods are read by their type",
        arguments: [
            ("EcdsaSecp256k1VerificationKey2019", "z25z9DTpsiYYJKGsWmSPJK2NFN8PcJtZig12K59UgW7q5t", KeyCurve.k256),
            ("EcdsaSecp256r1VerificationKey2019", "zxdM8dSstjrpZaRUwBmDvjGXweKuEMVN95A9oJBFjkWMh", .p256),
        ])
    func legacy(type: String, multibase: String, curve: KeyCurve) throws {
        let method = ##"{"id":"#atproto","type":"\##(type)","controller":"\##(did)","publicKeyMultibase":"\##(multibase)"}"##
        #expect(try parse(document(method: method)).signingKey?.curve == curve)
    }

    @Test("a labeler's key and host are found beside the account's")
    func labeler() throws {
        let method = ##"{"id":"#atproto_label","type":"Multikey","controller":"\##(did)","publicKeyMultibase":"\##(key)"}"##
        let service = ##"{"id":"\##(did)#atproto_labeler","type":"AtprotoLabeler","serviceEndpoint":"http://localhost:2584/"}"##
        let document = try parse(document(method: method, service: service))
        #expect(document.labelKey?.multikey == key && document.labeler == "http://localhost:2584")
        #expect(document.signingKey == nil && document.host == nil)
    }

    @Test("a key that cannot be used counts as absent")
    func unusable() throws {
        for (id, type, controller, key) in [
            ("#other", "Multikey", did, key), ("did:plc:other#atproto", "Multikey", did, key), ("#atproto", "Ed25519VerificationKey2020", did, key),
            ("#atproto", "Multikey", "did:plc:other", key), ("#atproto", "Multikey", did, "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"),
            ("#atproto", "Multikey", did, "Q3sh"), ("#atproto", "Multikey", did, ""),
        ] {
            let method = #"{"id":"\#(id)","type":"\#(type)","controller":"\#(controller)","publicKeyMultibase":"\#(key)"}"#
            #expect(try parse(document(method: method)).signingKey == nil, "\(method)")
        }
    }

    @Test(
        "an endpoint that is more than a scheme, host and port counts as absent",
        arguments: [
            "ftp://a.test", "https://", "https://a.test/path", "https://user@a.test", "https://a.test:0", "https://a.test:99999", "https://a.test?x",
            "https://a b", "https://a.test:+80", "javascript:alert(1)",
        ])
    func endpoints(url: String) throws {
        let service = ##"{"id":"#atproto_pds","type":"AtprotoPersonalDataServer","serviceEndpoint":"\##(url)"}"##
        #expect(try parse(document(service: service)).host == nil)
    }

    @Test("another DID's document, a large one and no document are refused")
    func refusals() {
        #expect(throws: FormatError.self) { try DIDDocument(parsing: Array(document().utf8), did: "did:plc:other") }
        #expect(throws: FormatError.self) { try parse("[]") }
        #expect(throws: FormatError.self) { try parse("{") }
        #expect(throws: FormatError.self) { try parse(document() + String(repeating: " ", count: Limits.didDocumentBytes)) }
    }

    @Test("a document without handle, keys and services is a document")
    func bare() throws {
        let document = try parse(#"{"id":"\#(did)","alsoKnownAs":["https://x.test","at://not a handle"]}"#)
        #expect(document.handle == nil && document.signingKey == nil && document.host == nil)
    }
}
