import AsyncHTTPClient
import Events
import NIOCore
import NIOHTTP1
import Testing

@testable import Ledger
@testable import Serve

@Suite(.timeLimit(.minutes(10))) struct SinkAPITests {
    private func delete(_ api: TestAPI, _ path: String) async throws -> UInt {
        var request = HTTPClientRequest(url: api.url(path))
        request.method = .DELETE
        return try await TestHTTP.client.execute(request, timeout: .minutes(5)).status.code
    }

    @Test("sinks are made, shown without their secrets, changed only where that is asked for, ordered about and removed")
    func life() async throws {
        try await TestAPI.run { api in
            let body =
                #"{"name":"audit","kind":"webhook","url":"https://u.example/in?t=1","secret":"0123456789abcdef","filter":{"kinds":["record"]}}"#
            #expect(try await api.post("/sinks", body).status == 201)
            let shown = try await api.get("/sinks/audit").body
            for text in [
                #""name":"audit""#, #""state":"starting""#, #""origin":"api""#, #""filter.kinds":"record""#, #""secret":"•••""#, "no worker runs it",
            ] {
                #expect(shown.contains(text), "\(text) in \(shown)")
            }
            #expect(!shown.contains("0123456789abcdef") && !shown.contains("t=1"))
            let again = try await api.post("/sinks", body.replacing("record", with: "label"))
            #expect(again.status == 409 && again.body.contains(#""code":"sink_taken""#))
            #expect(try await api.post("/sinks?replace=true", body.replacing("record", with: "label")).status == 200)
            #expect(try await api.get("/sinks").body.contains(#""generation":2"#))

            #expect(try await api.post("/sinks/audit/pause", "").status == 200)
            #expect(try await api.get("/sinks/audit").body.contains(#""desired":"paused""#))
            #expect(try await api.post("/sinks/audit/resume", "").status == 200)
            #expect(try await api.post("/sinks/audit/reset", #"{"run":"a/1"}"#).status == 200)
            #expect(try await api.post("/sinks/audit/rewind", #"{"to":"earliest"}"#).status == 200)
            #expect(try await api.post("/sinks/audit/rewind", #"{"to":7,"run":"a/1"}"#).status == 200)
            #expect(await api.sinks.orders == ["reset audit a/1", "rewind audit earliest all", "rewind audit 7 a/1"])
            #expect(try await delete(api, "/sinks/audit") == 200)
            #expect(try await delete(api, "/sinks/audit") == 404)
        }
    }

    @Test(
        "a body that makes no sink is refused with the place and what is allowed",
        arguments: [
            (#"{"kind":"stdout"}"#, "bad_sink", "/name"), (#"{"name":"outlet","kind":"stdout"}"#, "bad_sink", "/name"),
            (#"{"name":"a","kind":"pipe"}"#, "bad_sink", "/kind"), (#"{"name":"a","kind":"stdout","x":1}"#, "bad_sink", "/x"),
            (#"{"name":"a","kind":"stdout","filter":{"kinds":["x"]}}"#, "bad_sink", "/filter/kinds"),
            (#"{"name":"a","kind":"file","path":"/etc/passwd"}"#, "bad_sink", "/path"),
            (#"{"name":"a","kind":"webhook","url":"http://x/","allow_private":true}"#, "bad_sink", "/allow_private"),
            (#"{"name":"a","kind":"webhook","url":"https://x/","ca_file":"/a.pem"}"#, "bad_sink", "/ca_file"),
            (#"{"name":"a","kind":"stdout","rate":[[1]]}"#, "bad_sink", "/rate"), ("[]", "bad_body", ""), ("", "bad_body", nil),
            ("{", "bad_body", nil),
        ] as [(String, String, String?)])
    func refuses(_ body: String, _ code: String, _ pointer: String?) async throws {
        try await TestAPI.run { api in
            let answer = try await api.post("/sinks", body)
            #expect(answer.status == 400 && answer.body.contains("\"code\":\"\(code)\""), "\(answer.body)")
            if let pointer { #expect(answer.body.contains("\"pointer\":\"\(pointer)\""), "\(answer.body)") }
            #expect(await api.sinks.sinks.isEmpty)
        }
    }

    @Test("orders about what is not there, and orders that mean nothing, are refused")
    func orders() async throws {
        try await TestAPI.run { api in
            #expect(try await api.get("/sinks/none").status == 404)
            #expect(try await api.get("/sinks/No").body.contains("sink_not_found"))
            #expect(try await api.post("/sinks/none/pause", "").status == 404)
            #expect(try await api.post("/sinks/none/dance", "").status == 404)
            #expect(try await api.post("/sinks", #"{"name":"a","kind":"stdout"}"#).status == 201)
            for (path, body) in [("rewind", "{}"), ("rewind", #"{"to":"then"}"#), ("reset", #"{"to":1}"#), ("pause", #"{"run":"x"}"#)] {
                #expect(try await api.post("/sinks/a/\(path)", body).status == 400, "\(path) \(body)")
            }
            #expect(try await api.get("/sinks", method: "PUT").status == 405)
            let foreign = try await api.post("/sinks/a/pause", "", headers: [("Origin", "http://evil.example")])
            #expect(foreign.status == 403)
        }
    }

    @Test("the state of a sink is the one of the worker that is worst off, and no other sink's")
    func summary() async throws {
        try await TestAPI.run { api in
            for name in ["a", "b"] { #expect(try await api.post("/sinks", #"{"name":"\#(name)","kind":"stdout"}"#).status == 201) }
            let (a, b) = (try #require(SinkName("a")), try #require(SinkName("b")))
            func consumer(_ sink: SinkName, _ state: String, _ rate: Double, error: String? = nil) -> SinkConsumer {
                let report = SinkConsumerReport(
                    sink: sink, generation: 1, state: state, since: WallTime(microseconds: 1), perSecond: rate, error: error,
                    errorAt: error == nil ? nil : WallTime(microseconds: 2))
                return SinkConsumer(worker: "w", report: report, heartbeatAt: WallTime(microseconds: 3))
            }
            await api.sinks.say(
                a, SinkProgress(pendingRuns: 2, backlog: 9, lagMs: 1500),
                [consumer(a, "healthy", 2.4), consumer(a, "backing_off", 0, error: "HTTP 500"), consumer(a, "lagging", 1)])
            await api.sinks.say(b, SinkProgress(), [consumer(b, "healthy", 1)])
            let shown = try await api.get("/sinks/a").body
            for text in [#""state":"backing_off""#, #""lag_ms":1500"#, #""backlog":9"#, #""events_per_second":3"#, #""last_error":"HTTP 500""#] {
                #expect(shown.contains(text), "\(text) in \(shown)")
            }
            #expect(try await api.get("/sinks/b").body.contains(#""state":"healthy""#))
            var failed = SinkProgress()
            failed.error = "HTTP 500"
            await api.sinks.say(b, failed, [consumer(b, "backing_off", 1), consumer(b, "cannot_run", 0, error: "ca_file: there is none")])
            let unable = try await api.get("/sinks/b").body
            #expect(unable.hasPrefix(#"{"name":"b","state":"cannot_run""#) && unable.contains(#""last_error":"ca_file: there is none""#), "\(unable)")
        }
    }

    @Test("dead letters are listed, shown with their event, and settled once; those of repositories are told where they belong")
    func letters() async throws {
        try await TestAPI.run { api in
            func letter(_ id: Int64, _ queue: String, _ state: DeadLetter.State = .dead) -> DeadLetter {
                DeadLetter(
                    id: id, queue: queue, key: queue == "sink" ? "a" : "did:plc:x", run: queue == "sink" ? RunID("r/1") : nil,
                    seq: queue == "sink" ? id : nil, error: "HTTP 422", attempts: 5, state: state, deadAt: WallTime(microseconds: 0),
                    changedAt: WallTime(microseconds: 0), payload: #"{"n":1}"#)
            }
            for one in [letter(1, "sink"), letter(2, "repo_backfill"), letter(3, "sink", .skipped)] { await api.sinks.add(one) }
            let list = try await api.get("/dlq").body
            #expect(list.contains(#""id":1"#) && list.contains(#""did":"did:plc:x""#) && !list.contains(#""id":3"#))
            #expect(try await api.get("/dlq?skipped=true&sink=a&limit=1").body.contains(#""before":3"#))
            #expect(try await api.get("/dlq/1").body.contains(#""event":{"n":1}"#))
            #expect(try await api.get("/dlq/9").status == 404)
            #expect(try await api.get("/dlq/x").status == 404)
            #expect(try await api.post("/dlq/1/requeue", "").status == 200)
            #expect(try await api.post("/dlq/1/requeue", "").body.contains(#""code":"letter_settled""#))
            #expect(try await api.post("/dlq/1/skip", "").status == 200)
            #expect(try await api.post("/dlq/2/requeue", "").body.contains("weir repos resync"))
        }
    }
}
