import ArgumentParser
import Events
import Foundation
import Ledger
import Serve
import TestSupport
import Testing

@testable import weir

@Suite("weir runs", .timeLimit(.minutes(10))) struct RunsCommandTests {
    @Test(
        "arguments are taken",
        arguments: [
            ["runs", "create", "--kind", "order"],
            ["runs", "create", "--kind", "k", "--id", "a/1", "--metadata", #"{"a": 1}"#, "--idempotency-key", "i", "--json"],
            ["runs", "append", "a/1", "order.paid"],
            ["runs", "append", "a/1", "t", #"{"n": [1]}"#, "--key", "k", "--key-seq", "7", "--dedup-key", "d"],
            ["runs", "append", "a/1", "-", "--expected-seq", "4"], ["runs", "finish", "a/1", "--failed", "--reason", "r"],
            ["runs", "cancel", "a/1", "--reason", "r"], ["runs", "show", "a/1", "--json"], ["runs", "show", "a/1", "--snapshot"], ["runs", "list"],
            ["runs", "list", "--state", "started", "--kind", "k", "--after", "a/1", "--limit", "5000"], ["tail", "a/1", "--type", "order.*"],
        ])
    func taken(arguments: [String]) throws { _ = try Weir.parseAsRoot(arguments) }

    @Test(
        "wrong arguments are told before anything is asked",
        arguments: [
            (["runs", "create"], "--kind"), (["runs", "create", "--kind", "k", "--metadata", "{"], "--metadata is not JSON"),
            (["runs", "create", "--kind", "k", "--id", "a b"], "a b is no run's id"), (["runs", "append", "a/1"], "type"),
            (["runs", "append", "a/1", "a b"], "a b is no type"), (["runs", "append", "a/1", "t", "{\"a\":}"], "the payload is not JSON"),
            (["runs", "append", "a/1", "-", "--key", "k"], "lines of standard input"), (["runs", "cancel", "a/1"], "--reason"),
            (["runs", "finish", "a/1", "--expected-seq=-1"], "0 or more"), (["runs", "list", "--limit", "0"], "1 or more"),
            (["runs", "show", "a\u{1b}["], "\\u{1b}"),
        ])
    func wrong(arguments: [String], text: String) {
        let error = #expect(throws: (any Error).self) { try Weir.parseAsRoot(arguments) }
        guard let error else { return }
        #expect(Weir.fullMessage(for: error).contains(text), "\(Weir.fullMessage(for: error))")
    }

    @Test("a run is created, appended to from arguments and lines, shown, listed, and ended; refusals are told in the API's words with code 1")
    func againstAPI() async throws {
        try await RealStores.with { stores in
            try await CommandAPI.serving(stores) { server in
                let api = server.address
                #expect(try await weir(#"runs create --kind order --id orders/7 --metadata '{"shop":"é"}' --idempotency-key i"#, api) == "orders/7")
                #expect(try await weir(#"runs create --kind order --id orders/7 --metadata '{"shop":"é"}' --idempotency-key i"#, api) == "orders/7")
                #expect(try await weir("runs create --kind order", api).count == 36)
                let one = try await weir(#"runs append orders/7 order.paid '{ "n": 1 }' --key o1 --dedup-key d --expected-seq 0"#, api)
                #expect(one == "orders/7: seq 1; the last seq is 1")
                let again = try await weir("runs append orders/7 order.paid --dedup-key d", api)
                #expect(again == "orders/7: seq 1, 1 were there before; the last seq is 1")
                // Three calls of the API.
                let lines = try await shell(
                    "seq 1 2500 | sed 's/.*/{\"type\":\"n\",\"key\":\"k\",\"dedup_key\":\"n&\",\"payload\":&}/' | \(program) runs append orders/7 - --api \(api)"
                )
                #expect(lines == "orders/7: 2500 events; the last seq is 2501")
                let run = try #require(RunID("orders/7"))
                #expect(try await stores.ledger.events(run: run, after: 2500, limit: 1, maxBytes: 1000).first?.body == Array("2500".utf8))

                let shown = try await weir("runs show orders/7", api).split(separator: "\n")
                #expect(shown.first == "orders/7 is started" && shown.contains("  kind      order"), "\(shown)")
                #expect(shown.contains { $0.hasPrefix("  last seq  2501 · ") } && shown.contains(#"  metadata  {"shop":"é"}"#), "\(shown)")
                let snapshot = try await weir("runs show orders/7 --snapshot", api).split(separator: "\n")
                #expect(snapshot.count == 2 && snapshot[0].contains(#""key":"o1""#) && snapshot[1].contains(#""key_seq":2500"#), "\(snapshot)")
                let listed = try await weir("runs list --kind order --state started", api).split(separator: "\n")
                #expect(listed.count == 3 && listed.contains { $0.hasPrefix("orders/7") && $0.contains("order  started      2501") }, "\(listed)")

                let refused = try await shell("\(program) runs append orders/7 t --key k --key-seq 3 --api \(api) 2>&1; echo $?")
                #expect(refused.contains("sequence only grows (/0/key_seq); allowed: 2501 or more") && refused.hasSuffix("\n1"), "\(refused)")
                let broken = try await shell(
                    "printf '{\"type\":\"t\"}\\n{\"type\":7}\\n' | \(program) runs append orders/7 - --api \(api) 2>&1; echo $?")
                #expect(broken.contains("/1/type") && broken.hasSuffix("\n1"), "\(broken)")
                #expect(try await weir("runs finish orders/7 --reason done", api) == "orders/7 was finished, at seq 2502")
                #expect(try await weir("runs finish orders/7", api) == "orders/7 was finished before, at seq 2502")
                #expect(try await weir("runs show orders/7", api).contains("· done"))
                #expect(
                    try await shell("\(program) runs cancel orders/7 --reason x --api \(api) 2>&1; echo $?").hasSuffix("terminal event: orders/7\n1"))
            }
            #expect(try await shell("\(program) runs list --api 127.0.0.1:1 2>/dev/null; echo $?") == "3")
        }
    }

    @Test("a token is given as an option or in the environment, and one that may not is refused")
    func tokens() async throws {
        let access = APIAccess(tokens: [try APIToken("shop:read+append:0123456789abcdef:orders/"), try APIToken("eye:read:fedcba9876543210")])
        try await RealStores.with { stores in
            try await CommandAPI.serving(stores, access: access) { server in
                let api = server.address
                #expect(try await shell("\(program) runs list --api \(api) 2>&1; echo $?").contains("a token is needed"))
                #expect(try await weir("runs create --kind k --id orders/1 --token 0123456789abcdef", api) == "orders/1")
                #expect(try await shell("WEIR_API_TOKEN=fedcba9876543210 \(program) runs show orders/1 --api \(api)").contains("created by shop"))
                let refused = try await shell("WEIR_API_TOKEN=fedcba9876543210 \(program) runs finish orders/1 --api \(api) 2>&1; echo $?")
                #expect(refused.contains("the scope append") && refused.hasSuffix("\n1") && !refused.contains("fedcba"), "\(refused)")
            }
        }
    }

    private var program: String { CommandAPI.program }

    private func shell(_ script: String) async throws -> String { try await ChildProcess.run(["/bin/sh", "-c", script]) }

    private func weir(_ arguments: String, _ api: String) async throws -> String { try await shell("\(program) \(arguments) --api \(api)") }
}
