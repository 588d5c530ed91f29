internal import ATProto
internal import Events

/// Takes DIDs out of text that comes in pieces: one a line; blank lines and those that begin with `#` say nothing.
///
/// White space around a DID and a byte order mark in front of the first are passed over. Holds one line at most.
public struct DIDLines: Sendable {
    /// A line that holds something else.
    public struct Wrong: Error, Hashable, Sendable, CustomStringConvertible {
        /// From 1.
        public var line: Int
        /// Its beginning.
        public var text: String

        public init(line: Int, text: String) {
            self.line = line
            self.text = text
        }

        public var description: String { "line \(line) is no DID: \(text)" }
    }

    /// Longer than any DID may be, with room around it.
    public static let lineBytesMax = 4096

    private var line: [UInt8] = []
    private var number = 1

    public init() {}

    /// The DIDs of the lines that end in these bytes.
    public mutating func read(_ bytes: some Sequence<UInt8>) throws(Wrong) -> [String] {
        var dids: [String] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                guard line.count < Self.lineBytesMax else { throw wrong(line[...]) }
                line.append(byte)
                continue
            }
            if let did = try endLine() { dids.append(did) }
        }
        return dids
    }

    /// The DID of a last line without an end.
    public mutating func end() throws(Wrong) -> String? { try endLine() }

    private mutating func endLine() throws(Wrong) -> String? {
        var rest = line[...]
        if number == 1, rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while let first = rest.first, Self.isSpace(first) { rest.removeFirst() }
        while let last = rest.last, Self.isSpace(last) { rest.removeLast() }
        guard let first = rest.first, first != UInt8(ascii: "#") else {
            startLine()
            return nil
        }
        guard let text = String(validating: rest, as: UTF8.self), Syntax.isDID(text) else { throw wrong(rest) }
        startLine()
        return text
    }

    private mutating func startLine() {
        line.removeAll(keepingCapacity: true)
        number += 1
    }

    private func wrong(_ bytes: ArraySlice<UInt8>) -> Wrong {
        Wrong(line: number, text: String(decoding: bytes.prefix(400), as: UTF8.self).excerpt(scalars: 80))
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
