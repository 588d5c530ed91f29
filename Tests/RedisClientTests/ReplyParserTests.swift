import NIOCore
import TestSupport
import Testing

@testable import RedisClient

@Suite struct ReplyParserTests {
    private func parse(_ pieces: [[UInt8]], max: Int = 1 << 20) throws -> [RedisValue] {
        let parser = ReplyParser(replyBytesMax: max)
        var values: [RedisValue] = []
        for piece in pieces {
            try parser.feed(ByteBuffer(bytes: piece)) {
                values.append($0)
                return true
            }
        }
        return values
    }

    private static let transcript =
        "+OK\r\n:-42\r\n$-1\r\n$0\r\n\r\n$5\r\na\0\r\nb\r\n*-1\r\n*0\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n-ERR no\r\n$2\r\nyz\r\n-OOM full\r\n"
    private static let meaning: [RedisValue] = [
        .simple("OK"), .integer(-42), .null, .bulk(ByteBuffer()), .bulk(ByteBuffer(string: "a\0\r\nb")), .null, .array([]),
        .array([
            .integer(1), .array([.bulk(ByteBuffer(string: "x")), .error(RedisServerError(message: "ERR no"))]), .bulk(ByteBuffer(string: "yz")),
        ]),
        .error(RedisServerError(message: "OOM full")),
    ]

    @Test("replies are the same however their bytes are cut") func anyCut() throws {
        let seed = TestSeed("ReplyParser")
        var random = seed.generator()
        let bytes = Array(Self.transcript.utf8)
        #expect(try parse([bytes]) == Self.meaning)
        #expect(try parse(bytes.map { [$0] }) == Self.meaning)
        for _ in 0..<200 {
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(20, rest.count), using: &random)
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(try parse(pieces) == Self.meaning, "\(seed)")
        }
    }

    @Test(
        "what is not RESP is a failure",
        arguments: ["HTTP/1.1 400 Bad Request\r\n", "$x\r\n", "*9999999999999\r\n", "$-5\r\n", "\0\0\0\0", ":1x\r\n"])
    func garbage(text: String) { #expect(throws: ReplyParser.Failure.self) { try parse([Array(text.utf8)]) } }

    @Test("random bytes never crash") func fuzz() {
        let seed = TestSeed("ReplyParser.fuzz")
        var random = seed.generator()
        let alphabet = Array("*$+-:0123456789\r\n\r\n\r\nab\0".utf8)
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            _ = try? parse([bytes])
        }
    }

    @Test("a reply above the limit is a failure before it is whole") func limit() {
        #expect(throws: ReplyParser.Failure.self) {
            try parse([Array("$5000000\r\n".utf8), [UInt8](repeating: 1, count: 100_000)], max: 65_536)
        }
    }

    @Test("nesting deeper than hiredis reads is a failure, not a crash") func nesting() {
        #expect(throws: ReplyParser.Failure.self) { try parse([Array(String(repeating: "*1\r\n", count: 20).utf8)]) }
    }

    @Test("whoever takes the reply that ends the connection gets none after it") func stops() throws {
        let parser = ReplyParser(replyBytesMax: 1024)
        var count = 0
        try parser.feed(ByteBuffer(string: "+a\r\n+b\r\n+c\r\n")) { _ in
            count += 1
            return count < 2
        }
        #expect(count == 2)
    }
}
