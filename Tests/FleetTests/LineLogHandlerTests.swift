import Logging
import Synchronization
import Testing

@testable import Fleet

@Suite struct LineLogHandlerTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private func logged(_ format: LogFormat, _ metadata: Logger.Metadata, _ message: Logger.Message = "a message") -> String {
        let lines = Lines()
        let log = Logger(label: "weir.test") { label in
            LineLogHandler(label: label, level: .info, format: format) { line in lines.all.withLock { $0.append(line) } }
        }
        log.debug("not seen")
        log.info(message, metadata: metadata)
        return lines.all.withLock { $0.joined() }
    }

    @Test("text: one line with the metadata behind the message, in the order of its keys")
    func text() {
        let line = logged(.text, ["b": "2", "a": "two words"])
        #expect(line.hasSuffix("Z info     weir.test: a message a=\"two words\" b=2\n"))
    }

    @Test("json: one object a line, and a key of ours is not written twice")
    func json() {
        let line = logged(.json, ["host": "a\"b", "level": "x"])
        #expect(line.hasSuffix("\"level\":\"info\",\"logger\":\"weir.test\",\"message\":\"a message\",\"host\":\"a\\\"b\",\"level_\":\"x\"}\n"))
    }

    @Test("text: what a stranger wrote stays within its quotation marks, whatever marks combine with its own")
    func quoted() {
        let line = logged(.text, ["reason": "x\u{20}\u{301}\"\u{301} level=\u{301}"])
        #expect(line.hasSuffix(" reason=\"x\u{20}\u{301}\\\"\u{301} level=\u{301}\"\n"))
        #expect(logged(.text, ["a": "b\u{20}\u{301}c"]).hasSuffix(" a=\"b\u{20}\u{301}c\"\n"))
    }

    @Test("text of strangers cannot begin a line or paint the terminal", arguments: LogFormat.allCases)
    func strangers(format: LogFormat) {
        let line = logged(format, ["reason": "a\n\u{1b}[2Jb"], "x\ny")
        #expect(line.filter { $0 == "\n" }.count == 1)
        #expect(!line.unicodeScalars.contains("\u{1b}"))
    }
}
