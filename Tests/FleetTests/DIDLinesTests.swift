import Fleet
import TestSupport
import Testing

@Suite("DIDLines")
struct DIDLinesTests {
    private func read(_ text: String, pieces: Int = 1) throws(DIDLines.Wrong) -> [String] {
        var lines = DIDLines()
        var dids: [String] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) { dids += try lines.read(bytes[start..<min(bytes.count, start + pieces)]) }
        if let last = try lines.end() { dids.append(last) }
        return dids
    }

    @Test("one a line, whatever the line's end, with remarks and blank lines between, in pieces of any size", arguments: [1, 2, 7, 4096])
    func lines(pieces: Int) throws {
        let text = "\u{FEFF}did:plc:a\r\n\n  did:web:b.example \t\r\n# did:plc:x\n\t#y\n did:plc:c"
        #expect(try read(text, pieces: pieces) == ["did:plc:a", "did:web:b.example", "did:plc:c"])
        #expect(try read("", pieces: pieces).isEmpty)
        #expect(try read("did:plc:a\n", pieces: pieces) == ["did:plc:a"])
    }

    @Test(
        "what is no DID is told with its line",
        arguments: [
            ("did:plc:a\nplc:b\n", 2, "plc:b"), ("\n\nhandle.example", 3, "handle.example"), ("did:plc:a,did:plc:b", 1, "did:plc:a,did:plc:b"),
        ])
    func wrong(text: String, line: Int, part: String) {
        #expect(throws: DIDLines.Wrong(line: line, text: part)) { try read(text) }
    }

    @Test("a line without an end is not kept for ever, and told in part") func longLine() {
        #expect(throws: DIDLines.Wrong(line: 2, text: String(repeating: "a", count: 80))) {
            try read("did:plc:a\n" + String(repeating: "a", count: 10_000_000), pieces: 65_536)
        }
    }

    @Test("any text is DIDs or a wrong line")
    func anyText() throws {
        let corpus = ["did:plc:a\ndid:web:b.example%3A80\n", "# x\r\n\r\n did:plc:c", "did:plc:d"].map { Array($0.utf8) }
        try FuzzRun("lines of DIDs", inputs: 4_000)(ByteMutator(corpus: corpus, tokens: FuzzTokens.text, bytesMax: 20_000)) { bytes in
            var lines = DIDLines()
            do throws(DIDLines.Wrong) {
                let dids = try lines.read(bytes)
                let last = try lines.end()
                return (dids + (last.map { [$0] } ?? [])).allSatisfy { $0.hasPrefix("did:") } ? .accepted : .broken("\(dids)")
            } catch {
                return error.line >= 1 && error.text.unicodeScalars.count <= 80 ? .refused : .broken("\(error)")
            }
        }
    }
}
