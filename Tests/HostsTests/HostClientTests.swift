import ATProto
import Events
import NIOCore
import TestSupport
import Testing

@testable import Hosts

@Suite("What is asked of a host and what it answers")
struct HostClientTests {
    @Test("a page gives its repositories and the cursor as it came, and what is not valid is counted and left out")
    func page() async throws {
        let entry = #"{"did": "\#(HostBench.did)", "head": "\#(HostBench.cid)", "rev": "\#(HostBench.rev)", "active": false, "status": "takendown"}"#
        let bad = [
            #"{"did": "did:plc", "head": "\#(HostBench.cid)", "rev": "\#(HostBench.rev)"}"#,
            #"{"did": "\#(HostBench.did)", "head": "\#(HostBench.cid)", "rev": "yesterday"}"#,
            #"{"did": "\#(HostBench.did)", "rev": "\#(HostBench.rev)"}"#, "7",
        ]
        let host = try await StubHost.start { _ in
            StubStep.answer(200, #"{"cursor": "a b/c&d=é", "repos": [\#(([entry] + bad).joined(separator: ","))]}"#)
        }
        try await HostBench.run { bench in
            let page = try await bench.client.listRepos(at: host.endpoint, limit: 5)
            #expect(page.entries.map(\.did) == [HostBench.did])
            #expect(page.entries.first?.rev?.description == HostBench.rev)
            #expect(page.entries.first?.head?.description == HostBench.cid)
            #expect(page.entries.first?.isActive == false)
            #expect(page.entries.first?.status == "takendown")
            #expect(page.dropped == 4)
            #expect(page.next == .page(cursor: "a b/c&d=é"))
            _ = try await bench.client.listRepos(at: host.endpoint, cursor: "a b/c&d=é")
            #expect(
                host.seen.requests.map(\.target) == [
                    "/xrpc/com.atproto.sync.listRepos?limit=5", "/xrpc/com.atproto.sync.listRepos?limit=1000&cursor=a%20b%2Fc%26d%3D%C3%A9",
                ])
            #expect(host.seen.requests.allSatisfy { $0.headers.contains("user-agent: weir") })
        }
        await host.stop()
    }

    @Test("a list by collection needs DIDs only")
    func collectionPage() async throws {
        let host = try await StubHost.start { _ in StubStep.answer(200, #"{"repos": [{"did": "\#(HostBench.did)"}, {"did": "x"}]}"#) }
        try await HostBench.run { bench in
            let page = try await bench.client.listReposByCollection("app.bsky.feed.post", at: host.endpoint, limit: 9_999)
            #expect(page.entries.map(\.did) == [HostBench.did])
            #expect(page.dropped == 1)
            #expect(page.next == .end)
            #expect(host.seen.requests.map(\.target) == ["/xrpc/com.atproto.sync.listReposByCollection?collection=app.bsky.feed.post&limit=2000"])
        }
        await host.stop()
    }

    @Test("a list that would never end says so")
    func loops() async throws {
        let host = try await StubHost.start { request in
            StubStep.answer(200, request.target.contains("cursor=same") ? #"{"cursor": "same", "repos": [{}]}"# : #"{"cursor": "1", "repos": []}"#)
        }
        try await HostBench.run { bench in
            let same = try await bench.client.listRepos(at: host.endpoint, cursor: "same")
            #expect(same.next == .sameCursor)
            let empty = try await bench.client.listRepos(at: host.endpoint, cursor: "0")
            #expect(empty.next == .afterEmptyPage(cursor: "1"))
        }
        await host.stop()
    }

    @Test(
        "what is no page is malformed",
        arguments: [
            "<html>", "[]", "{}", #"{"repos": {}}"#, #"{"repos": [], "cursor": 7}"#, #"{"repos": [], "cursor": "\u0000"}"#,
            #"{"repos": [], "cursor": "\#(String(repeating: "c", count: 5_000))"}"#, #"{"repos": [\#(String(repeating: "0,", count: 10_001))0]}"#,
        ])
    func noPage(body: String) async throws {
        let host = try await StubHost.start { _ in StubStep.answer(200, body) }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: endpoint) }
            #expect(error.code == .malformed)
            #expect(error.advice.disposition == .elsewhere)
        }
        await host.stop()
    }

    @Test("a repository's state and its current commit are read")
    func state() async throws {
        let host = try await StubHost.start { request in
            request.target.hasPrefix("/xrpc/com.atproto.sync.getRepoStatus?did=\(HostBench.did)")
                ? StubStep.answer(200, #"{"did": "\#(HostBench.did)", "active": true, "rev": "\#(HostBench.rev)"}"#)
                : StubStep.answer(200, #"{"cid": "\#(HostBench.cid)", "rev": "\#(HostBench.rev)"}"#)
        }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            let state = try await bench.client.getRepoStatus(HostBench.did, at: endpoint)
            #expect(state.isActive && state.status == nil && state.rev?.description == HostBench.rev)
            let head = try await bench.client.getLatestCommit(HostBench.did, at: endpoint)
            #expect(head.cid.description == HostBench.cid && head.rev.description == HostBench.rev)
            // Of another DID than was asked for.
            let error = try await failure { () async throws(HostError) in try await bench.client.getRepoStatus("did:web:example.com", at: endpoint) }
            #expect(error.code == .malformed)
        }
        await host.stop()
    }

    @Test("a refusal with a body that never comes is a refusal all the same")
    func refusalWithoutBody() async throws {
        let host = try await StubHost.start { _ in [.text("HTTP/1.1 503 X\r\ncontent-length: 9\r\nretry-after: 7\r\n\r\n{"), .close] }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.repository(at: endpoint) }
            #expect(error.code == .unavailable)
            #expect(error.retryAfter == .seconds(7))
        }
        await host.stop()
    }

    @Test("429 says how long to stay away, in whichever way the host says it")
    func tooMany() async throws {
        let headers = [("Retry-After", "30"), ("Retry-After", "Mon, 21 Sep 2026 14:14:20 GMT"), ("RateLimit-Reset", "1790000050")]
        let host = try await StubHost.start { request in
            let index = Int(request.target.split(separator: "=").last ?? "") ?? 0
            return StubStep.answer(429, #"{"error": "RateLimitExceeded"}"#, headers: [headers[index]])
        }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            for (cursor, seconds) in [("0", 30), ("1", 60), ("2", 50)] {
                let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: endpoint, cursor: cursor) }
                #expect(error.code == .rateLimited)
                #expect(error.retryAfter == .seconds(seconds))
                #expect(error.advice.isHostsFailure)
            }
        }
        await host.stop()
    }

    @Test("a redirect is not followed")
    func redirect() async throws {
        let other = try await StubHost.start { _ in StubStep.answer(200, #"{"repos": []}"#) }
        let port = other.port
        let host = try await StubHost.start { _ in StubStep.answer(302, headers: [("location", "http://127.0.0.1:\(port)/xrpc/x")]) }
        try await HostBench.run { bench in
            let endpoint = try host.endpoint
            let error = try await failure { () async throws(HostError) in try await bench.client.listRepos(at: endpoint) }
            #expect(error.code == .malformed)
            #expect(other.seen.connections == 0)
        }
        await host.stop()
        await other.stop()
    }
}
