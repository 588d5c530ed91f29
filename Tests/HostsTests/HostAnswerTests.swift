import Events
import TestSupport
import Testing

@testable import ATProto
@testable import Hosts

@Suite("What a refusal means")
struct HostAnswerTests {
    private static func refusal(_ status: Int, _ body: String) throws -> HostError? {
        HostAnswer.refusal(
            status: status, body: Array(body.utf8), host: try HostEndpoint("pds.example.com"), now: WallTime(microseconds: 0), header: { _ in nil })
    }

    @Test(
        "is decided by its status and by the lexicons' names",
        arguments: [
            (400, "RepoNotFound", .notFound, .answer), (404, "RepoNotFound", .notFound, .answer), (400, "RepoTakendown", .takendown, .answer),
            (400, "RepoSuspended", .suspended, .answer), (400, "RepoDeactivated", .deactivated, .answer), (404, "", .notSupported, .elsewhere),
            (404, "NotFound", .notSupported, .elsewhere), (501, "MethodNotImplemented", .notSupported, .elsewhere),
            (404, "XRPCNotSupported", .notSupported, .elsewhere), (400, "MethodNotImplemented", .notSupported, .elsewhere),
            (400, "InvalidRequest", .other, .elsewhere), (401, "AuthMissing", .other, .elsewhere), (403, "RepoTakendown", .other, .elsewhere),
            (429, "RateLimitExceeded", .rateLimited, .retry), (429, "RepoNotFound", .rateLimited, .retry),
            (500, "InternalServerError", .unavailable, .retry), (502, "RepoNotFound", .unavailable, .retry), (504, "", .unavailable, .retry),
            (408, "", .unavailable, .retry), (204, "", .malformed, .elsewhere), (301, "RepoNotFound", .malformed, .elsewhere),
        ] as [(Int, String, HostError.Code, HostError.Disposition)])
    func codes(status: Int, name: String, code: HostError.Code, disposition: HostError.Disposition) throws {
        let refusal = try #require(try Self.refusal(status, #"{"error": "\#(name)"}"#))
        #expect(refusal.code == code)
        #expect(refusal.advice.disposition == disposition)
        #expect(refusal.host == "pds.example.com")
    }

    @Test("200 is none")
    func none() throws { #expect(try Self.refusal(200, #"{"error": "RepoNotFound"}"#) == nil) }

    @Test("says what the host said, cut and without control characters")
    func message() throws {
        let said = try #require(try Self.refusal(500, #"{"error": "Bad", "message": "a\u0000b\nc"}"#))
        #expect(said.message == "HTTP 500, Bad: a b c")
        let long = try #require(try Self.refusal(500, #"{"message": "\#(String(repeating: "x", count: 10_000))"}"#))
        #expect(long.message.utf8.count < 250)
        #expect(try Self.refusal(500, "<html>")?.message == "HTTP 500")
    }

    @Test("every code has advice, and only failures of the host count against it")
    func advice() {
        for code in HostError.Code.allCases {
            let error = HostError(code, "", host: "")
            #expect(!error.advice.text.isEmpty)
            #expect(error.advice.isHostsFailure == (error.advice.disposition == .retry))
        }
    }

    @Test("no answer that a stranger may think of does harm")
    func fuzz() throws {
        let host = try HostEndpoint("pds.example.com")
        let entry = #"{"did": "\#(HostBench.did)", "head": "\#(HostBench.cid)", "rev": "\#(HostBench.rev)", "active": true, "status": "x"}"#
        let corpus = [
            #"{"cursor": "abc", "repos": [\#(entry), \#(entry)]}"#, #"{"repos": [{"did": "did:web:example.com"}]}"#,
            #"{"error": "RepoNotFound", "message": "no such repository"}"#, #"{"cursor": null, "repos": []}"#,
        ].map { Array($0.utf8) }
        let mutator = ByteMutator(corpus: corpus, tokens: FuzzTokens.json)
        try FuzzRun("host answer", inputs: 4_000)(mutator) { input in
            if let refusal = HostAnswer.refusal(status: 400, body: input, host: host, now: WallTime(microseconds: 0), header: { _ in nil }) {
                if refusal.message.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                    return .broken("control character")
                }
                if refusal.message.unicodeScalars.count > 450 { return .broken("a message of \(refusal.message.unicodeScalars.count)") }
            }
            do {
                let page = try RepositoryPage(reading: try JSONValue(parsing: input), isDetailed: Bool(input.count % 2 == 0), sent: "abc", host: host)
                if page.entries.contains(where: { !Syntax.isDID($0.did) }) { return .broken("a DID that is none") }
                if case .page(let cursor) = page.next, cursor.isEmpty || cursor.utf8.contains(0) || cursor.utf8.count > 4096 {
                    return .broken("cursor")
                }
                return .accepted
            } catch {
                return .refused
            }
        }
    }
}
