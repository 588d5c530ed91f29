import NIOCore
import Testing

@testable import Ingest

@Suite struct UpgradeAnswerTests {
    private func read(_ text: String) throws -> (answer: UpgradeAnswer?, rest: String) {
        var buffer = ByteBuffer(string: text)
        let answer = try UpgradeAnswer.read(from: &buffer)
        return (answer, String(buffer: buffer))
    }

    @Test("a head is taken whole and nothing behind it") func whole() throws {
        let text = "HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\nX:\r\nA: b \r\n\r\n\u{1}\u{2}\r\n\r\n"
        let (answer, rest) = try read(text)
        #expect(answer?.status == 101)
        #expect(answer?.values("upgrade") == ["WebSocket"])
        #expect(answer?.values("x") == [""])
        #expect(answer?.values("a") == ["b"])
        #expect(rest == "\u{1}\u{2}\r\n\r\n")
        let head = text.utf8.count - 6
        for length in 0..<head {
            var buffer = ByteBuffer(bytes: Array(text.utf8.prefix(length)))
            #expect(try UpgradeAnswer.read(from: &buffer) == nil)
            #expect(buffer.readableBytes == length)
        }
    }

    @Test("an early hint in front of the answer is skipped") func informational() throws {
        #expect(try read("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n").answer?.status == 404)
    }

    @Test(
        "what is no HTTP is refused, at the latest at its bound",
        arguments: [
            "SSH-2.0", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 abc x\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: x\r\n\r\n", "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", "HTTP/1.1 200 " + String(repeating: "x", count: 20_000),
        ])
    func invalid(_ text: String) {
        #expect(throws: UpgradeAnswer.Invalid.self) { try read(text) }
    }
}
