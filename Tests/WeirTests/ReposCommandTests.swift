import ArgumentParser
import Events
import Foundation
import Ledger
import Serve
import TestSupport
import Testing

@testable import weir

@Suite("weir repos", .timeLimit(.minutes(10))) struct ReposCommandTests {
    @Test(
        "arguments are taken",
        arguments: [
            ["repos", "add", "did:plc:a", "did:web:b.example"], ["repos", "add", "--file", "dids.txt"], ["repos", "remove", "-"],
            ["repos", "remove", "did:plc:a", "-", "--file", "x", "--json"], ["repos", "resync", "did:plc:a", "--api", "http://h:1"],
            ["repos", "show", "did:plc:a", "--json"], ["repos", "list"],
            ["repos", "list", "--phase", "failed", "--after", "did:plc:a", "--limit", "5000"],
        ])
    func taken(arguments: [String]) throws { _ = try Weir.parseAsRoot(arguments) }

    @Test(
        "wrong arguments are told before anything is asked",
        arguments: [
            (["repos", "add"], "which repositories?"), (["repos", "add", "handle.example"], "handle.example is no DID"),
            (["repos", "add", "-", "-"], "once"),
            (["repos", "show"], "did"), (["repos", "show", "x"], "x is no DID"),
            (["repos", "list", "--phase", "asleep"], "allowed: unknown, pending"),
            (["repos", "list", "--limit", "0"], "1 or more"), (["repos", "list", "--after", "x"], "no DID"),
            (["repos", "remove", "did:plc:a\u{1b}["], "\\u{1b}"),
        ])
    func wrong(arguments: [String], text: String) {
        let error = #expect(throws: (any Error).self) { try Weir.parseAsRoot(arguments) }
        guard let error else { return }
        #expect(Weir.fullMessage(for: error).contains(text), "\(Weir.fullMessage(for: error))")
    }

    @Test("repositories are added from arguments, a file and standard input, shown, listed, wanted again and removed")
    func againstAPI() async throws {
        try await RealStores.with { stores in
            try await CommandAPI.serving(stores, scope: APIScope(isTracking: true, allowsWrites: false)) { server in
                let api = server.address
                let path = try TestFolder.make("dids") + "/dids.txt"
                try ("# two thousand\n" + (0..<2_000).map { "did:plc:f\($0)\n" }.joined()).write(toFile: path, atomically: true, encoding: .utf8)
                #expect(try await weir("repos add did:plc:a did:plc:b", api) == "did:plc:a  added\ndid:plc:b  added\n2 added")
                #expect(try await weir("repos add --file \(path) did:plc:a", api) == "2000 added, 1 already_wanted")
                let piped = try await shell("printf 'did:plc:a\\ndid:plc:c' | \(program) repos add - --api \(api)")
                #expect(piped == "did:plc:a  already_wanted\ndid:plc:c  added\n1 added, 1 already_wanted")

                let job = try #require(try await stores.ledger.claimJob("did:plc:a", deadline: .seconds(60)))
                try await stores.ledger.returnJob(job, host: "pds.example", error: "timed\nout", retryAfter: .seconds(60), isFailure: true)
                let shown = try await weir("repos show did:plc:a", api)
                #expect(shown.hasPrefix("did:plc:a is failed\n  scope     wanted by name\n"))
                #expect(shown.contains("failed 1 times · tried again ") && shown.contains("asked pds.example · timed\\u{a}out"), "\(shown)")
                #expect(try await weir("repos show did:plc:a --json", api).hasPrefix(#"{"did":"did:plc:a","phase":"failed""#))
                let failed = try await weir("repos list --phase failed", api).split(separator: "\n")
                #expect(failed.count == 2 && failed[1].hasPrefix("did:plc:a  failed"))
                // Three pages of the API.
                #expect(try await shell("\(program) repos list --limit 3000 --api \(api) | wc -l") == "2004")
                #expect(try await weir("repos resync did:plc:a did:plc:x", api).hasSuffix("1 not_tracked, 1 requested"))
                #expect(try await weir("repos remove did:plc:a --json", api).contains(#""counts":{"removed":1}"#))
                #expect(
                    try await weir("repos show did:plc:a", api).hasPrefix(
                        "did:plc:a is removed\n  scope     left out · its shard has still to remove it"))
            }
        }
    }

    @Test("a refusal is told in the API's words with code 1, a line that is no DID with its number and code 2, and an API that is away with code 3")
    func refusals() async throws {
        try await RealStores.with { stores in
            try await CommandAPI.serving(stores, scope: .live) { server in
                let api = server.address
                let refused = try await shell("\(program) repos add did:plc:a --api \(api) 2>&1; echo $?")
                #expect(refused.contains("repos.scope is live") && refused.contains("allowed: repos.scope = chosen") && refused.hasSuffix("\n1"))
                let wrong = try await shell("printf 'did:plc:a\\nnobody\\n' | \(program) repos add - --api \(api) 2>&1; echo $?")
                #expect(wrong.contains("standard input, line 2 is no DID: nobody; 0 were sent before it") && wrong.hasSuffix("\n2"))
                #expect(try await shell("\(program) repos add --file /nowhere --api \(api) 2>&1; echo $?").hasSuffix("\n2"))
            }
            #expect(try await shell("\(program) repos show did:plc:a --api 127.0.0.1:1 2>/dev/null; echo $?") == "3")
        }
    }

    private var program: String { CommandAPI.program }

    private func shell(_ script: String) async throws -> String { try await ChildProcess.run(["/bin/sh", "-c", script]) }

    private func weir(_ arguments: String, _ api: String) async throws -> String { try await shell("\(program) \(arguments) --api \(api)") }
}
