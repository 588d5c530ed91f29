import Events
import NIOHTTP1
import TestSupport
import Testing

@testable import Ledger
@testable import Serve

@Suite("Bodies about runs") struct RunBodiesTests {
    private static let many = "[" + Array(repeating: #"{"type":"t"}"#, count: ApplicationEvent.appendMax + 1).joined(separator: ",") + "]"
    private static let large = #"{"type":"t","payload":""# + String(repeating: "x", count: ApplicationEvent.payloadBytesMax) + "\"}"

    @Test("an event, an array of them and one a line are the same, payloads without their white space")
    func shapes() throws {
        let one =
            #"{ "type" : "a.b", "key" : "k\u00e9", "key_seq" : 7, "dedup_key" : "d", "payload" : { "n" : [ 1 , 9007199254740993 ] , "t":"x\n" } }"#
        let event = ApplicationEvent(
            type: "a.b", key: "ké", keySequence: 7, dedupKey: "d", payload: Array(#"{"n":[1,9007199254740993],"t":"x\n"}"#.utf8))
        #expect(try AppendBody(Array(one.utf8), isLines: false).events == [event])
        let plain = ApplicationEvent(type: "c", payload: [])
        #expect(try AppendBody(Array(" [\(one), {\"type\":\"c\",\"key\":null} ] ".utf8), isLines: false).events == [event, plain])
        #expect(try AppendBody(Array("\(one)\n{\"type\":\"c\"}\n\n".utf8), isLines: true).events == [event, plain])
    }

    @Test(
        "what is wrong with an append is told with its place and what is allowed",
        arguments: [
            ("", "bad_body", nil), ("[]", "bad_body", ""), ("7", "bad_body", ""), ("[7]", "bad_body", "/0"), (#"[{"type":"t"}"#, "bad_body", nil),
            (#"{"type":"t"} x"#, "bad_body", nil), (#"{}"#, "bad_body", ""), (#"[{"type":"t"},{"payload":1}]"#, "bad_body", "/1"),
            (#"[{"type":"t"},{"type":"a b"}]"#, "bad_body", "/1/type"), (#"{"type":7}"#, "bad_body", "/type"),
            (#"{"type":null}"#, "bad_body", "/type"),
            (#"{"type":"t","type":"t"}"#, "bad_body", "/type"), (#"{"type":"t","a/b~":1}"#, "unknown_member", "/a~1b~0"),
            (#"{"type":"t","key":""}"#, "bad_body", "/key"), (#"{"type":"t","key":"a\u0000"}"#, "bad_body", "/key"),
            (#"{"type":"t","key":"k","key_seq":-1}"#, "bad_body", "/key_seq"), (#"{"type":"t","key":"k","key_seq":1.5}"#, "bad_body", "/key_seq"),
            (#"{"type":"t","key":"k","key_seq":9223372036854775808}"#, "bad_body", "/key_seq"),
            (#"{"type":"t","key_seq":1}"#, "bad_body", "/key_seq"),
            (#"{"type":"t","dedup_key":""}"#, "bad_body", "/dedup_key"), (#"{"type":"t","payload":}"#, "bad_body", nil),
            (#"{"type":"t","payload":"\ud800"}"#, "bad_body", nil), (many, "too_many", nil), (large, "event_too_large", "/payload"),
        ] as [(String, String, String?)])
    func badAppends(body: String, code: String, pointer: String?) throws {
        let problem = try #require(throws: Problem.self) { try AppendBody(Array(body.utf8), isLines: false) }
        #expect(problem.code.rawValue == code && problem.pointer == pointer, "\(problem)")
        #expect(problem.allowed?.isEmpty == false)
    }

    @Test(
        "what is wrong with a creation is told with its place",
        arguments: [
            ("", "bad_body", nil), ("{}", "bad_body", ""), (#"{"kind":"a b"}"#, "bad_body", "/kind"),
            (#"{"kind":"k","id":"a b"}"#, "bad_body", "/id"),
            (#"{"kind":"k","id":"firehose/7"}"#, "run_reserved", "/id"), (#"{"kind":"k","id":"a/stream"}"#, "bad_body", "/id"),
            (#"{"kind":"k","metadata":[]}"#, "bad_body", "/metadata"), (#"{"kind":"k","metadata":{"a":"\u0000"}}"#, "bad_body", "/metadata"),
            (#"{"kind":"k","idempotency_key":""}"#, "bad_body", "/idempotency_key"), (#"{"kind":"k","name":1}"#, "unknown_member", "/name"),
            (#"{"kind":"k","metadata":{"a":""# + String(repeating: "x", count: RunCreation.metadataBytesMax) + "\"}}", "bad_body", "/metadata"),
        ] as [(String, String, String?)])
    func badCreations(body: String, code: String, pointer: String?) throws {
        let problem = try #require(throws: Problem.self) { try RunBody(Array(body.utf8)) }
        #expect(problem.code.rawValue == code && problem.pointer == pointer, "\(problem)")
    }

    @Test("a creation and an ending are read")
    func good() throws {
        let body = try RunBody(Array(#"{"id":"a/1","kind":"k","metadata":{"a": "\\u0000"},"idempotency_key":"i"}"#.utf8))
        #expect(body.id?.description == "a/1" && body.kind == "k" && body.metadata == Array(#"{"a":"\\u0000"}"#.utf8) && body.idempotencyKey == "i")
        #expect(try EndingBody([], isCancellation: false).state == .finished)
        let failed = try EndingBody(Array(#"{"state":"failed","reason":"r"}"#.utf8), isCancellation: false)
        #expect(failed.state == .failed && failed.reason == "r")
        #expect(try EndingBody(Array(#"{"reason":"r"}"#.utf8), isCancellation: true).state == .cancelled)
        for text in ["", "{}", #"{"reason":""}"#, #"{"state":"finished","reason":"r"}"#] {
            #expect(throws: Problem.self) { try EndingBody(Array(text.utf8), isCancellation: true) }
        }
        for text in [#"{"state":"cancelled"}"#, #"{"state":"started"}"#, "[]"] {
            #expect(throws: Problem.self) { try EndingBody(Array(text.utf8), isCancellation: false) }
        }
    }

    @Test("the body of an append is events within their bounds, or a problem that says what is allowed")
    func fuzz() throws {
        let corpus = [
            #"[{"type":"a.b","key":"k","key_seq":7,"dedup_key":"d","payload":{"n":[1,2.5,null,true],"t":"x\u00e9"}}]"#, #"{"type":"t"}"#,
            "{\"type\":\"t\"}\n{\"type\":\"u\",\"payload\":\"x\"}\n", #"[{"type":"t","payload":[[[[]]]]},{"type":"t","key":"\ud83c\udf0a"}]"#,
        ].map { Array($0.utf8) }
        let mutator = ByteMutator(corpus: corpus, tokens: FuzzTokens.json + FuzzTokens.text, bytesMax: 8_000)
        try FuzzRun("bodies of appends", inputs: 20_000)(mutator) { bytes in
            let body: AppendBody
            do throws(Problem) {
                body = try AppendBody(bytes, isLines: bytes.count % 2 == 0)
            } catch {
                guard error.code.status.code >= 400, error.allowed?.isEmpty == false else { return .broken("\(error)") }
                return error.reply.body.count < 8_192 ? .refused : .broken("a problem of \(error.reply.body.count) bytes")
            }
            for event in body.events {
                guard ApplicationEvent.isType(event.type), event.keySequence ?? 0 >= 0, !event.key.utf8.contains(0), !event.dedupKey.utf8.contains(0),
                    event.payload.count <= ApplicationEvent.payloadBytesMax, !event.payload.contains(0x0A)
                else { return .broken("\(event)") }
            }
            return body.events.isEmpty ? .broken("no events") : .accepted
        }
    }
}
