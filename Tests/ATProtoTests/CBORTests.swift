import ATProto
import Testing

@Suite("DAG-CBOR")
struct CBORTests {
    @Test(
        "what is not canonical is refused",
        arguments: [
            ("nothing", ""), ("integer not shortest", "1817"), ("2 bytes not shortest", "1900ff"), ("4 bytes not shortest", "1a0000ffff"),
            ("8 bytes not shortest", "1b00000000ffffffff"), ("length not shortest", "7801"), ("indefinite bytes", "5f4101ff"),
            ("indefinite text", "7f6161ff"), ("indefinite array", "9f01ff"), ("indefinite map", "bf616101ff"), ("reserved", "1c"),
            ("float of 16 bits", "f93c00"), ("float of 32 bits", "fa3f800000"), ("NaN", "fb7ff8000000000000"), ("infinity", "fb7ff0000000000000"),
            ("undefined", "f7"), ("simple", "f8ff"), ("break", "ff"), ("other tag", "c11a00000001"), ("tag 42 on text", "d82a6161"),
            ("link without zero", "d82a41 01"), ("text not UTF-8", "61ff"), ("overlong UTF-8", "62c080"), ("surrogate", "63eda080"),
            ("keys out of order", "a2616201616101"), ("longer key first", "a262616101616201"), ("key twice", "a2616101616102"),
            ("key no text", "a10101"), ("text cut off", "6261"), ("array longer than the rest", "9affffffff"),
            ("map longer than the rest", "a3616101"),
            ("bytes after", "0101"), ("integer beyond 64 bits", "1bffffffffffffffff"), ("negative beyond 64 bits", "3bffffffffffffffff"),
        ])
    func refusals(what: String, hex: String) {
        #expect(throws: FormatError.self, "\(what)") { try CBORValue.decode(bytes(hex)) }
    }

    @Test(
        "integers have their shortest form at every boundary",
        arguments: [0, 23, 24, 255, 256, 65535, 65536, 4_294_967_295, 4_294_967_296, .max] as [Int64])
    func integers(value: Int64) throws {
        for value in [value, -value, ~value] { #expect(try CBORValue.decode(CBORValue.integer(value).encode()) == .integer(value)) }
    }

    @Test("maps are sorted by length, then bytes, whatever order they are given in")
    func order() throws {
        let value: CBORValue = ["bb": 1, "a": 2, "aaa": 3, "b": 4, "": 5]
        guard case .map(let map) = try CBORValue.decode(value.encode()) else {
            Issue.record("no map")
            return
        }
        #expect(map.fields.map(\.key) == ["", "a", "b", "bb", "aaa"])
    }

    @Test("keys that look alike but differ in bytes are two keys")
    func lookAlikes() throws {
        let value: CBORValue = ["\u{e9}": 1, "e\u{301}": 2]
        guard case .map(let map) = try CBORValue.decode(value.encode()) else {
            Issue.record("no map")
            return
        }
        #expect(map.fields.count == 2)
        #expect(value["e\u{301}"] == 2)
    }

    @Test("a deep nesting is refused before the stack is at risk")
    func nesting() {
        #expect(throws: FormatError.self) { try CBORValue.decode([UInt8](repeating: 0x81, count: 1_000_000)) }
        #expect(throws: FormatError.self) { try JSONValue(parsing: [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)) }
        #expect(throws: FormatError.self) { try DAGJSON.json(Array(repeating: [0xa1, 0x61, 0x61], count: 300_000).flatMap { $0 }) }
    }

    @Test("every kind of value survives")
    func roundTrip() throws {
        let value: CBORValue = [
            "null": .null, "bool": true, "int": -7, "float": .float(1.5), "bytes": .bytes([0, 1, 255]), "text": "a\u{0}😀",
            "link": .link(CID(hashing: [1], codec: .raw)), "array": [1, [2, []]], "map": [:],
        ]
        #expect(try CBORValue.decode(value.encode()) == value)
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter { $0 != " " }
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
    }
}
