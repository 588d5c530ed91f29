import ATProto
import Testing

@Suite("Data model")
struct DataModelTests {
    @Test("JSON, DAG-CBOR and CID of the published values agree in all directions", .enabled(if: Conformance.isPresent, Conformance.absent))
    func fixtures() throws {
        let fixtures = try Conformance.objects("data-model/data-model-fixtures.json")
        #expect(!fixtures.isEmpty)
        for fixture in fixtures {
            let json = try #require(fixture["json"])
            let cbor = try base64(try #require(fixture["cbor_base64"]?.string))
            let value = try DAGJSON.value(json)
            #expect(value.encode() == cbor)
            #expect(try CBORValue.decode(cbor) == value)
            #expect(CID(hashing: cbor).description == fixture["cid"]?.string)
            #expect(try DAGJSON.record(DAGJSON.json(cbor)) == value)
        }
    }

    @Test("the published values that are not valid are refused", .enabled(if: Conformance.isPresent, Conformance.absent))
    func invalid() throws {
        let vectors = try Conformance.objects("data-model/data-model-invalid.json")
        #expect(!vectors.isEmpty)
        for vector in vectors {
            let json = try #require(vector["json"])
            #expect(throws: FormatError.self, "\(vector["note"]?.string ?? "")") {
                guard case .map = try DAGJSON.value(json) else { throw FormatError(.dataModel, "no object") }
            }
        }
    }

    @Test("the published values that are valid are accepted and survive", .enabled(if: Conformance.isPresent, Conformance.absent))
    func valid() throws {
        for vector in try Conformance.objects("data-model/data-model-valid.json") {
            let value = try DAGJSON.value(try #require(vector["json"]))
            #expect(try DAGJSON.record(DAGJSON.json(value.encode())) == value)
        }
    }

    @Test("integers of 64 bits and U+0000 survive from JSON to CBOR and back")
    func extremes() throws {
        let text = #"{"a":9223372036854775807,"b":-9223372036854775808,"c":9007199254740993,"z":"x\u0000y\u001f\"\\\n"}"#
        let value = try DAGJSON.record(Array(text.utf8))
        #expect(value["a"] == .integer(.max))
        #expect(value["b"] == .integer(.min))
        #expect(value["z"] == .text("x\u{0}y\u{1f}\"\\\n"))
        #expect(String(decoding: try DAGJSON.json(value.encode()), as: UTF8.self) == text)
    }

    @Test(
        "a map that JSON would show as something else is refused on the way out",
        arguments: [
            ["$link": "x"], ["$bytes": "AA"], ["$type": ""], ["$type": 1], ["a": .float(1.5)], ["$type": "blob", "size": 1],
        ] as [CBORValue])
    func ambiguous(value: CBORValue) {
        var json: [UInt8] = [1, 2]
        let bytes = value.encode()
        #expect(throws: FormatError.self) { try DAGJSON.write(0..<bytes.count, of: bytes, into: &json) }
        #expect(json == [1, 2], "what was there before a refusal stays")
    }

    @Test(
        "how deep data may nest is the same for every reader, and what is written as JSON reads as JSON",
        arguments: ["text", "bytes", "link", "map", "array"])
    func nesting(kind: String) throws {
        let innermost: CBORValue =
            switch kind {
            case "text": "x"
            case "bytes": .bytes([1])
            case "link": .link(CID(hashing: [1]))
            case "map": .map(CBORMap([]))
            default: []
            }
        // Bytes and links are objects with a text in them.
        let deepest = kind == "bytes" || kind == "link" ? Limits.nesting - 1 : Limits.nesting
        for level in (deepest - 2)...(deepest + 2) {
            var value = innermost
            for outer in (1..<level).reversed() { value = outer == 1 || outer % 2 == 0 ? ["a": value] : [value] }
            let isAllowed = level <= deepest
            let bytes = value.encode()
            #expect(DAGCBOR.isCanonical(0..<bytes.count, of: bytes) == isAllowed, "level \(level)")
            #expect(((try? CBORValue.decode(bytes)) == value) == isAllowed, "level \(level)")
            let json = try? DAGJSON.json(bytes)
            #expect((json != nil) == isAllowed, "level \(level)")
            if let json { #expect((try? DAGJSON.record(json)) == value, "level \(level)") }
        }
    }

    @Test("a link to another kind of CID is kept as it is")
    func foreignLink() throws {
        let foreign: [UInt8] = [1, 0x55, 0x1e, 4, 1, 2, 3, 4]
        let bytes: [UInt8] = [0xa1, 0x61, 0x61, 0xd8, 42, 0x49, 0] + foreign
        #expect(String(decoding: try DAGJSON.json(bytes), as: UTF8.self) == #"{"a":{"$link":"bafkr4babaibqi"}}"#)
        #expect(throws: FormatError.self) { try CBORValue.decode(bytes) }
    }

    @Test(
        "JSON that is none is refused",
        arguments: [
            "", "{", "{\"a\":1,}", "[1 2]", "01", "-", "1.", "1e", "\"\u{1}\"", #""\ud800""#, #""\ud800\u0041""#, #""\x""#, #"{"a":1,"a":2}"#, "nul",
            "1 1", "9223372036854775808", "1e999", #"{a:1}"#,
        ])
    func notJSON(text: String) {
        #expect(throws: FormatError.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test("JSON of more values than are wanted is refused before they are built")
    func values() throws {
        let text = Array(#"{"a":[1,{"b":null},"x"],"c":[]}"#.utf8)
        #expect(throws: Never.self) { try JSONValue(parsing: text, valuesMax: 7) }
        let error = #expect(throws: FormatError.self) { try JSONValue(parsing: text, valuesMax: 6) }
        #expect(error?.code == .tooLarge)
        let many = Array(("[" + String(repeating: "1,", count: 500_000) + "1]").utf8)
        #expect(throws: FormatError.self) { try JSONValue(parsing: many, valuesMax: 20_000) }
    }

    @Test("surrogate pairs and all escapes are read")
    func escapes() throws {
        #expect(try JSONValue(parsing: Array(#""\ud83d\ude00\/\b\f\n\r\t\u00e9""#.utf8)).string == "😀/\u{8}\u{c}\n\r\t\u{e9}")
    }
}
