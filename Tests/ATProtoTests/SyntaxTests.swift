import ATProto
import Events
import Testing

@Suite("Syntax")
struct SyntaxTests {
    typealias Check = @Sendable (String) -> Bool

    private static let checks: [(name: String, check: Check)] = [
        ("did", Syntax.isDID), ("nsid", Syntax.isNSID), ("recordkey", Syntax.isRecordKey), ("tid", Syntax.isTID), ("cid", Syntax.isCIDText),
        ("atidentifier", Syntax.isATIdentifier),
    ]

    @Test(
        "all published examples are accepted or refused", .enabled(if: Conformance.isPresent, Conformance.absent),
        arguments: checks.indices)
    func vectors(index: Int) throws {
        let (name, check) = Self.checks[index]
        let valid = try Conformance.lines("syntax/\(name)_syntax_valid.txt")
        let invalid = try Conformance.lines("syntax/\(name)_syntax_invalid.txt")
        #expect(!valid.isEmpty && !invalid.isEmpty)
        for text in valid { #expect(check(text), "\(name): \(text.prefix(100)) is valid") }
        for text in invalid { #expect(!check(text), "\(name): \(text.prefix(100)) is not valid") }
    }

    @Test("a TID keeps its time and clock and sorts like its number")
    func tids() throws {
        let tid = TID(microseconds: 1_738_803_906_528_123, clockID: 1000)
        #expect(tid.time == WallTime(microseconds: 1_738_803_906_528_123))
        #expect(tid.clockID == 1000)
        #expect(TID(tid.description) == tid)
        #expect(try #require(TID("3jzfcijpj2z2a")).description == "3jzfcijpj2z2a")
        let later = TID(microseconds: 1_738_803_906_528_124, clockID: 0)
        #expect(tid < later && tid.description < later.description)
    }

    @Test(
        "a TID that has the top bit set, as the syntax allows, is written as it was read",
        arguments: ["j3zfcijpj2z2a", "jzzzzzzzzzzzz", "c222222222222"])
    func highTIDs(text: String) throws {
        let tid = try #require(TID(text))
        #expect(tid.description == text)
        #expect(TID("b3zfcijpj2z2a").map { $0 < tid } == true)
        #expect(tid.time.microseconds > TID.maxMicroseconds)
    }

    @Test("a generator's TIDs grow although its clock stands still or goes back")
    func generator() {
        var generator = TIDGenerator(clockID: 5)
        var last = generator.next(now: WallTime(microseconds: 1_000_000))
        for now in [1_000_000, 999_000, 1_000_001, 0, 2_000_000] as [Int64] {
            let next = generator.next(now: WallTime(microseconds: now))
            #expect(next > last)
            last = next
        }
        #expect(last.time.microseconds == 2_000_000)
    }

    @Test("a CID's text and binary forms read back, and others are refused")
    func cids() throws {
        for codec in [CID.Codec.dagCBOR, .raw] {
            let cid = CID(hashing: Array("x".utf8), codec: codec)
            #expect(CID(cid.description) == cid)
            #expect(try CID(binary: cid.binary) == cid)
        }
        let text = CID(hashing: []).description
        for other in ["", "b", text.uppercased(), String(text.dropLast()), text + "a", "z" + text.dropFirst(), String(text.dropLast()) + "1"] {
            #expect(CID(other) == nil)
        }
        for change in [0, 1, 2, 3] {
            var binary = CID(hashing: []).binary
            binary[change] ^= 0x40
            #expect(throws: FormatError.self) { try CID(binary: binary) }
        }
    }
}
