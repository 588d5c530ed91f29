import Testing

@testable import Ingest

@Suite("Lines of DIDs")
struct DIDLinesTests {
    private func read(_ text: String, by size: Int = .max) -> DIDLines {
        var lines = DIDLines()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            lines.take(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        lines.end()
        return lines
    }

    @Test("comments, blank lines, line ends of every kind and a byte order mark are let through", arguments: [1, 2, 3, 7, 1_000])
    func forms(size: Int) {
        let lines = read("\u{feff}did:plc:a\r\n\n   \t\n# all\n\tdid:web:b # why\n#\ndid:web:c", by: size)
        #expect(lines.dids == ["did:plc:a", "did:web:b", "did:web:c"])
        #expect(lines.wrongCount == 0)
    }

    @Test("wrong lines are counted, and the first ones named by number")
    func wrong() {
        let lines = read("did:plc:a\nalice.example\ndid:web:b did:web:c\n\ndid:web:\n" + String(repeating: "x\n", count: 20))
        #expect(lines.dids == ["did:plc:a"])
        #expect(lines.wrongCount == 23)
        #expect(lines.wrongLines == [2, 3, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(ChosenFile.complaint(lines).hasSuffix("2, 3, 5, 6, 7, 8, 9, 10, 11, 12 and 13 more"))
    }

    @Test("a line without an end fills no memory, and the next one is read")
    func longLine() {
        let lines = read(String(repeating: "x", count: 1_000_000) + "\ndid:web:b\n# " + String(repeating: "y", count: 10_000) + "\ndid:web:c")
        #expect(lines.dids == ["did:web:b", "did:web:c"])
        #expect(lines.wrongLines == [1])
    }

    @Test("a DID of the greatest length is taken, one that is longer is not")
    func longest() {
        let did = "did:web:" + String(repeating: "a", count: 2_040)
        #expect(read(did).dids == [did])
        #expect(read(did + "a").wrongLines == [1])
    }
}
