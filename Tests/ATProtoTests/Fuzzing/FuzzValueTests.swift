import Events
import TestSupport
import Testing

@testable import ATProto

@Suite("Strangers' values and texts")
struct FuzzValueTests {
    @Test("DAG-CBOR: what decodes encodes to the same bytes, and its JSON reads back to the same value")
    func values() throws {
        try FuzzRun("DAG-CBOR", inputs: 15_000)(ByteMutator(corpus: try FuzzCorpus.values(), tokens: FuzzTokens.cbor)) { bytes in
            var json: [UInt8] = []
            try? DAGJSON.write(0..<bytes.count, of: bytes, into: &json)
            guard let value = try? CBORValue.decode(bytes) else {
                // Links under other hashes are kept as they are: no value here, but JSON all the same.
                return json.isEmpty || (try? JSONValue(parsing: json)) != nil ? .refused : .broken("JSON that is none")
            }
            guard value.encode() == bytes else { return .broken("encodes to other bytes") }
            if !json.isEmpty {
                guard let again = try? DAGJSON.record(json) else {
                    return .broken("its JSON does not read: \(String(decoding: json, as: UTF8.self))")
                }
                guard again == value else { return .broken("its JSON reads as \(again)") }
            }
            return .accepted
        }
    }

    @Test("JSON of records: what reads as data encodes, and decodes to the same")
    func json() throws {
        let texts = try FuzzCorpus.values().compactMap { try? DAGJSON.json($0) } + [Self.document]
        try FuzzRun("JSON", inputs: 12_000)(ByteMutator(corpus: texts, tokens: FuzzTokens.json, bytesMax: 128 << 10)) { bytes in
            guard let value = try? DAGJSON.record(bytes) else { return .refused }
            guard let again = try? CBORValue.decode(value.encode()), again == value else { return .broken("\(value) does not decode to itself") }
            return .accepted
        }
    }

    @Test("DID documents are read or refused, and nothing comes out that is no host, handle or key")
    func documents() throws {
        let mutator = ByteMutator(corpus: [Self.document], tokens: FuzzTokens.json + FuzzTokens.text, bytesMax: 160 << 10)
        try FuzzRun("DID documents", inputs: 8_000)(mutator) { bytes in
            guard let document = try? DIDDocument(parsing: bytes, did: "did:plc:a") else { return .refused }
            if let handle = document.handle, !Syntax.isHandle(handle) { return .broken("handle \(handle)") }
            for host in [document.host, document.labeler].compactMap({ $0 }) {
                guard host.hasPrefix("https://") || host.hasPrefix("http://") else { return .broken("host \(host)") }
                guard !host.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }), !host.dropFirst(8).contains("/") else {
                    return .broken("host \(host)")
                }
            }
            return .accepted
        }
    }

    @Test("a JSON object with very many fields takes time in proportion")
    func manyFields() throws {
        try FuzzRun("wide JSON", inputs: 12)(
            onlyRefuses: true,
            generate: { random in
                let count = Int.random(in: 5_000...12_000, using: &random)
                let fields = (0..<count).map { "\"\($0)\":1" }.joined(separator: ",")
                return Array("{\(fields)}".utf8.prefix(Limits.didDocumentBytes))
            }
        ) { bytes in
            _ = try? DIDDocument(parsing: bytes, did: "did:plc:a")
            return (try? JSONValue(parsing: bytes)) == nil ? .refused : .accepted
        }
    }

    static let document = Array(
        ##"""
        {"id":"did:plc:a","alsoKnownAs":["at://a.test"],"verificationMethod":[{"id":"#atproto","type":"Multikey","controller":"did:plc:a",
        "publicKeyMultibase":"zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc"}],"service":[{"id":"#atproto_pds",
        "type":"AtprotoPersonalDataServer","serviceEndpoint":"https://a.test:443"}],"x":[1.5e3,-0,"\u00e9\ud83d\ude00",null,true,false]}
        """##.utf8)
}
