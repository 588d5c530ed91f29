import Events
import Foundation
import TestSupport
import Testing

@Suite struct JSONScannerTests {
    private func minified(_ text: String) throws -> String {
        var scanner = try JSONScanner(Array(text.utf8))
        var bytes: [UInt8] = []
        try scanner.value(into: &bytes)
        guard scanner.isAtEnd() else { throw JSONScanError("text after the value", offset: scanner.offset) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        "a value is copied without the white space between its tokens",
        arguments: [
            (
                " { \"a b\" : [ 1 , -2.5e+3 , true,false , null , \"x \\\" y\" ] ,\n\t\"c\" : { } , \"d\":[ ] } ",
                #"{"a b":[1,-2.5e+3,true,false,null,"x \" y"],"c":{},"d":[]}"#
            ),
            ("9007199254740993", "9007199254740993"), ("\"\\u0000\\ud83c\\udf0a 🌊\"", "\"\\u0000\\ud83c\\udf0a 🌊\""), ("[[],{}]", "[[],{}]"),
            ("0", "0"), ("-0.0E0", "-0.0E0"),
        ])
    func copies(text: String, copy: String) throws {
        #expect(try minified(text) == copy)
    }

    @Test(
        "what is no JSON is refused with its place",
        arguments: [
            ("", 0), ("[", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("{\"a\":1,}", 7), ("{a:1}", 1), ("01", 0), ("1.", 2), ("+1", 0), ("tru", 3),
            ("nul", 3),
            ("\"a", 2), ("\"\n\"", 1), ("\"\\x\"", 1), ("\"\\ud800\"", 1), ("\"\\udc00\"", 1), ("\"\\ud800\\u0041\"", 1), ("\"\\u12g4\"", 1),
            ("1 2", 2),
            ("[1 2]", 3), ("'a'", 0), ("-", 1), ("1e", 2), ("NaN", 0),
        ])
    func refusals(text: String, offset: Int) throws {
        let error = try #require(throws: JSONScanError.self) { try minified(text) }
        #expect(error.offset == offset, "\(error)")
    }

    @Test("bytes that are not UTF-8, and nesting without end, are refused")
    func bounds() throws {
        #expect(throws: JSONScanError.self) { try JSONScanner([0x22, 0xFF, 0x22]) }
        let depth = JSONScanner.nestingMax
        #expect(try minified(String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).count == 2 * depth)
        #expect(throws: JSONScanError.self) { try minified(String(repeating: "[", count: depth + 1) + String(repeating: "]", count: depth + 1)) }
        #expect(throws: JSONScanError.self) { try minified(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONScanError.self) { try minified(String(repeating: "1", count: JSONScanner.numberBytesMax + 1)) }
    }

    @Test("strings and whole numbers are taken out as values")
    func values() throws {
        var scanner = try JSONScanner(Array(#" { "a\n\u00e9" : "b\\\/\ud83c\udf0a" , "n" : -9223372036854775808 } "#.utf8))
        let (first, text) = (try scanner.member(isFirst: true), try scanner.string())
        #expect(first == "a\né" && text == "b\\/🌊")
        let (second, number) = (try scanner.member(isFirst: false), try scanner.integer())
        #expect(second == "n" && number == .min)
        let (end, isAtEnd) = (try scanner.member(isFirst: false), scanner.isAtEnd())
        #expect(end == nil && isAtEnd)
        for text in ["1.0", "1e2", "9223372036854775808", "\"1\""] {
            var scanner = try JSONScanner(Array(text.utf8))
            let number = try? scanner.integer()
            let isAtEnd = scanner.isAtEnd()
            #expect(number == nil || !isAtEnd, "\(text)")
        }
    }

    @Test("what the scanner takes, Foundation reads as the same, and what Foundation writes the scanner takes as it is")
    func againstFoundation() throws {
        let corpus = [
            #"{"a":[1,2.5,{"b":"x\"y"}],"c":null,"d":true}"#, #"[[[]],{},"\u00e9\ud83c\udf0a",-1e-3]"#, #""""#, "12", #"{"":{"":[{"":0}]}}"#,
        ]
        let mutator = ByteMutator(
            corpus: corpus.map { Array($0.utf8) }, tokens: FuzzTokens.text + ["\\u", "\\", "\"", "[", "]", "{", "}", ","].map { Array($0.utf8) },
            bytesMax: 256)
        try FuzzRun("JSON texts", inputs: 20_000)(mutator) { bytes in
            guard var scanner = try? JSONScanner(bytes) else { return .refused }
            var copy: [UInt8] = []
            guard (try? scanner.value(into: &copy)) != nil, scanner.isAtEnd() else { return .refused }
            func value(_ text: [UInt8]) -> NSObject? {
                (try? JSONSerialization.jsonObject(with: Data(text), options: [.fragmentsAllowed])) as? NSObject
            }
            guard let there = value(bytes), let here = value(copy) else {
                // A number beyond a double is JSON all the same; here it stays text.
                return bytes.contains(UInt8(ascii: "e")) || bytes.contains(UInt8(ascii: "E")) || bytes.count > 300
                    ? .refused : .broken("Foundation refuses \(String(decoding: bytes, as: UTF8.self))")
            }
            return here == there ? .accepted : .broken("another value: \(String(decoding: copy, as: UTF8.self))")
        }
    }
}
