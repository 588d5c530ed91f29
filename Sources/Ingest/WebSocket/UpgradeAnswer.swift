import NIOCore

/// The head of a server's answer to an upgrade request, read without taking a byte of what follows it.
///
/// Not NIO's decoder: taken out of a pipeline it drops what came with the 101 when the connection has ended by then, also with `.forwardBytes`, and
/// such a server's last words (an error frame about our cursor) are what we must not miss.
struct UpgradeAnswer: Hashable {
    struct Invalid: Error, Hashable {
        let problem: String
    }

    /// More than this before the empty line is no answer.
    static let headBytesMax = 16_384

    let status: Int
    /// Names in lower case, in their order.
    let headers: [Header]

    struct Header: Hashable {
        let name: String
        let value: String
    }

    func values(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }

    /// Takes a whole head from the buffer's front, or nothing while it is not whole. Other informational answers than 101 are skipped.
    static func read(from buffer: inout ByteBuffer) throws(Invalid) -> UpgradeAnswer? {
        while true {
            guard let head = try takeHead(from: &buffer) else { return nil }
            let lines = head.split(separator: "\r\n")
            guard let first = lines.first else { throw Invalid(problem: "an empty head") }
            let words = first.split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1]), status >= 100 else {
                throw Invalid(problem: "no HTTP/1 status line")
            }
            if status < 200, status != 101 { continue }
            var headers: [Header] = []
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":"), !line.hasPrefix(" "), !line.hasPrefix("\t"), colon != line.startIndex else {
                    throw Invalid(problem: "a header line without a name")
                }
                let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
                let end = value.lastIndex { $0 != " " && $0 != "\t" }.map { value.index(after: $0) } ?? value.startIndex
                headers.append(Header(name: line[..<colon].lowercased(), value: String(value[..<end])))
            }
            return UpgradeAnswer(status: status, headers: headers)
        }
    }

    private static func takeHead(from buffer: inout ByteBuffer) throws(Invalid) -> String? {
        let bytes = buffer.readableBytesView
        guard zip(bytes, "HTTP/1.".utf8).allSatisfy({ $0 == $1 }) else { throw Invalid(problem: "not HTTP/1") }
        var matched = 0
        for (offset, byte) in bytes.prefix(headBytesMax).enumerated() {
            let isExpected = byte == (matched % 2 == 0 ? UInt8(ascii: "\r") : UInt8(ascii: "\n"))
            matched = isExpected ? matched + 1 : (byte == UInt8(ascii: "\r") ? 1 : 0)
            if matched == 4 {
                let head = buffer.readSlice(length: offset + 1).map { String(buffer: $0) }
                return head.map { String($0.unicodeScalars.dropLast(4)) }
            }
        }
        guard bytes.count < headBytesMax else { throw Invalid(problem: "a head above \(headBytesMax) bytes") }
        return nil
    }
}
