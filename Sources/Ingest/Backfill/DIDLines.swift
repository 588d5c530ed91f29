import ATProto

/// Reads DIDs out of a text, one a line; `#` begins a comment, blank lines are allowed. Memory is bounded by the longest line that can be a DID.
struct DIDLines: Hashable, Sendable {
    /// A DID has 2,048 bytes at most; blanks around it are let through.
    static let lineBytesMax = 4_096
    /// Wrong lines that are kept by their number.
    static let wrongLinesKept = 10

    /// Found since they were last taken.
    private(set) var dids: [String] = []
    /// Numbers of wrong lines, from 1, the first ones.
    private(set) var wrongLines: [Int] = []
    private(set) var wrongCount = 0

    private var line: [UInt8] = []
    private var number = 1
    private var isTooLong = false

    mutating func take(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                endLine()
            } else if line.count < Self.lineBytesMax {
                line.append(byte)
            } else {
                isTooLong = true
            }
        }
    }

    /// The last line may lack its end.
    mutating func end() { if !line.isEmpty { endLine() } }

    mutating func takeDIDs() -> [String] {
        defer { dids = [] }
        return dids
    }

    private mutating func endLine() {
        defer {
            line.removeAll(keepingCapacity: true)
            isTooLong = false
            number += 1
        }
        var rest = line[...]
        if number == 1, rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
        if let comment = rest.firstIndex(of: UInt8(ascii: "#")) {
            rest = rest[..<comment]
            isTooLong = false
        }
        while let last = rest.last, Self.isBlank(last) { rest = rest.dropLast() }
        while let first = rest.first, Self.isBlank(first) { rest = rest.dropFirst() }
        if rest.isEmpty, !isTooLong { return }
        let text = String(decoding: rest, as: UTF8.self)
        if !isTooLong, Syntax.isDID(text) { return dids.append(text) }
        wrongCount += 1
        if wrongLines.count < Self.wrongLinesKept { wrongLines.append(number) }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") }
}
