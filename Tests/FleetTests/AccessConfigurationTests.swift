import Flow
import Foundation
import Logging
import Serve
import Synchronization
import TestSupport
import Testing

@testable import Fleet

@Suite("Who may use the API, by configuration") struct AccessConfigurationTests {
    private func load(_ flags: [String] = [], _ environment: [String: String] = [:]) throws -> FleetConfiguration {
        try FleetConfiguration.load(file: nil, environment: environment, flags: flags)
    }

    private func problem(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test("tokens come from the key and from a file, and what they are is never shown")
    func tokens() throws {
        let path = try TestFolder.make("tokens") + "/tokens"
        try "# the shop's\n shop:read+append:0123456789abcdef:orders/ \n\n".write(toFile: path, atomically: true, encoding: .utf8)
        let configuration = try load(
            ["api.tokens_file=\(path)", "api.token_rate=7", "api.token_connections=9"],
            ["WEIR_API_TOKENS": "a:read:aaaaaaaaaaaaaaaa, b:admin:bbbbbbbbbbbbbbbb:x://y"])
        let access = try configuration.apiAccess()
        #expect(access.tokens.map(\.name) == ["a", "b", "shop"])
        #expect(access.rate.perSecond == 7 && access.rate.burst == 14 && access.connectionsMax == 9 && !access.allowsAnonymousReads)
        let entry = try #require(configuration.values["api.tokens"])
        #expect(entry.key.shown(entry.text) == "•••")
        #expect(!String(describing: configuration.problem("api.tokens", "x")).contains("aaaa"))
    }

    @Test(
        "tokens that are none, or that cannot be told apart, stop the start without telling a secret",
        arguments: [
            ("a:read:short-secret", "the secret of a"), ("a:write:0123456789abcdef", "the scopes of a"),
            ("a:read:0123456789abcdef,a:read:fedcba9876543210", "one name"), ("a:read:0123456789abcdef,b:read:0123456789abcdef", "one secret"),
        ])
    func wrong(tokens: String, text: String) {
        let told = problem { _ = try load(["api.tokens=\(tokens)"]).apiAccess() }
        #expect(told.contains("api.tokens") && told.contains(text) && !told.contains("0123456789") && !told.contains("short-secret"), "\(told)")
    }

    @Test("a file that cannot be read, or a line of it that is no token, is told with its number")
    func files() throws {
        #expect(problem { _ = try load(["api.tokens_file=/nowhere"]).apiAccess() }.contains("it cannot be read"))
        let path = try TestFolder.make("tokens") + "/tokens"
        try "# x\na:read:0123456789abcdef\nnobody\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(problem { _ = try load(["api.tokens_file=\(path)"]).apiAccess() }.contains("line 3: name:scopes:secret"))
    }

    @Test(
        "a tokens file that changes is read again when it looks the same twice; one that is wrong, empty or gone keeps the tokens before, told once")
    func fileChanges() throws {
        let path = try TestFolder.make("tokens") + "/tokens"
        func write(_ text: String) throws { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        try write("a:read:0123456789abcdef\n")
        let (logger, lines) = Self.logger()
        let file = try #require(TokensFile(try load(["api.tokens_file=\(path)"]), log: logger))
        #expect(file.changed() == nil && file.changed() == nil)
        try write("a:read:0123456789abcdef\nb:admin:fedcba9876543210\n")
        #expect(file.changed() == nil, "whoever writes it may not be done")
        #expect(file.changed()?.tokens.map(\.name) == ["a", "b"])
        #expect(file.changed() == nil && lines.taken() == ["notice api.tokens_file was read again"])
        let refused = "error api.tokens_file is not taken; the tokens before hold"
        for text in ["a:read:0123456789abcdef\nnobody\n", "# nobody\n", nil] {
            if let text { try write(text) } else { try FileManager.default.removeItem(atPath: path) }
            for _ in 0..<4 { #expect(file.changed() == nil) }
            #expect(lines.taken() == [refused], "\(text ?? "no file")")
        }
        try write("c:read:0123456789abcdef\n")
        #expect(file.changed() == nil)
        #expect(file.changed()?.tokens.map(\.name) == ["c"])
        #expect(TokensFile(try load(["api.tokens=a:read:0123456789abcdef"]), log: logger) == nil)
    }

    /// What was logged: level and message, in order.
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        func taken() -> [String] {
            lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
        }
    }

    private struct LinesHandler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: Logging.LogEvent) { lines.add("\(event.level) \(event.message)") }
    }

    private static func logger() -> (Logger, Lines) {
        let lines = Lines()
        return (Logger(label: "test") { _ in LinesHandler(lines: lines) }, lines)
    }

    @Test(
        "an address that others can reach is refused without tokens, unless it is said that this is meant",
        arguments: [
            (["api.bind=0.0.0.0:7480"], false), (["api.bind=0.0.0.0:7480", "api.tokens=a:read:0123456789abcdef"], true),
            (["api.bind=[::]:7480", "api.allow_anonymous=true"], true), (["api.bind=10.0.0.1:7480", "api.allow_writes=true"], true), ([], true),
            (["api.bind=[::1]:7480"], true),
        ])
    func refusedStart(flags: [String], starts: Bool) throws {
        let configuration = try load(flags)
        let told = problem { try configuration.checkAuthentication(try configuration.apiAccess()) }
        #expect(told.isEmpty == starts, "\(told)")
        if !starts { #expect(told.contains("api.bind") && told.contains("api.tokens") && told.contains("api.allow_anonymous")) }
    }
}
