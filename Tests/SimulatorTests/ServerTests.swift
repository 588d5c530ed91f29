import ATProto
import Foundation
import NIOHTTP1
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct ServerTests {
    @Test("listRepos pages through all accounts with a cursor that is no number")
    func list() async throws {
        try await SimulatorHarness.run(SimulatorHarness.configuration(accounts: 25)) { simulator in
            var dids: [String] = []
            var cursor: String?
            repeat {
                let query = "limit=10" + (cursor.map { "&cursor=\($0)" } ?? "")
                let page = try await simulator.get("http://\(simulator.addresses.repositoryHost)/xrpc/com.atproto.sync.listRepos?\(query)").json
                let repos = try #require(page["repos"] as? [[String: Any]])
                dids += repos.compactMap { $0["did"] as? String }
                cursor = page["cursor"] as? String
                if let cursor { #expect(Int(cursor) == nil) }
            } while cursor != nil
            let all = await simulator.service.dids
            #expect(dids == all)
            let wrong = try await simulator.get("http://\(simulator.addresses.repositoryHost)/xrpc/com.atproto.sync.listRepos?cursor=17")
            #expect(wrong.status == .badRequest)
        }
    }

    @Test("a repository, its head and its status agree; an unknown DID and an unknown account are errors")
    func repository() async throws {
        try await SimulatorHarness.run(SimulatorHarness.configuration()) { simulator in
            let did = await simulator.service.dids[2]
            let base = "http://\(simulator.addresses.repositoryHost)/xrpc/com.atproto.sync"
            let repository = try Repository(car: try await simulator.get("\(base).getRepo?did=\(did)").body)
            let head = try await simulator.get("\(base).getLatestCommit?did=\(did.replacingOccurrences(of: ":", with: "%3A"))").json
            #expect(head["rev"] as? String == repository.commit.rev)
            #expect(head["cid"] as? String == "\(repository.commitCID)")
            #expect(try await simulator.get("\(base).getRepoStatus?did=\(did)").json["active"] as? Bool == true)
            #expect(try await simulator.get("\(base).getRepo?did=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa").json["error"] as? String == "RepoNotFound")
            #expect(try await simulator.get("http://\(simulator.addresses.directory)/did:plc:aaaaaaaaaaaaaaaaaaaaaaaa").status == .notFound)
            // A relay answers the same beside its stream.
            #expect(
                try await simulator.get("http://\(simulator.addresses.relays[0])/xrpc/com.atproto.sync.getLatestCommit?did=\(did)").json.count == 2)
        }
    }

    @Test("the control API sets rates and faults, refuses nonsense, gives the record and ends production")
    func control() async throws {
        try await SimulatorHarness.run(SimulatorHarness.configuration()) { simulator in
            let control = simulator.addresses.controlURL
            let fault = #"[{"kind":"malformed_frame","relay":1,"count":1},{"kind":"duplicate","every":20}]"#
            #expect(try await simulator.post("\(control)/sim/faults", fault).status == .ok)
            #expect(try await simulator.post("\(control)/sim/faults", #"{"kind":"rain"}"#).status == .badRequest)
            #expect(try await simulator.post("\(control)/sim/faults", #"{"kind":"silent","relay":9}"#).status == .badRequest)
            #expect(try await simulator.post("\(control)/sim/rate", #"{"events_per_second":"fast"}"#).status == .badRequest)
            let rate = #"{"events_per_second":"unlimited","events_max":250,"burst":{"events":5,"every_seconds":1},"follow_readers":true}"#
            #expect(try await simulator.post("\(control)/sim/rate", rate).status == .ok)
            _ = try await RelayTranscript.follow(simulator.addresses.relays[0], until: 250)
            #expect(try await simulator.post("\(control)/sim/stop").status == .ok)
            let status = try await simulator.get("\(control)/sim/status").json
            #expect(status["events_produced"] as? Int == 250)
            #expect(status["state"] as? String == "stopped")
            let lines = try await simulator.get("\(control)/sim/record").body.split(separator: UInt8(ascii: "\n"))
            #expect(lines.count == 251)
            let first = try #require(try JSONSerialization.jsonObject(with: Data(lines[0])) as? [String: Any])
            #expect(first["did"] as? String != nil)
        }
    }

    @Test("prebuilt events go out first and in full, and the record's file holds every line")
    func prebuiltAndFile() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("record-\(UUID().uuidString).ndjson").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var configuration = SimulatorHarness.configuration()
        configuration.prebuild = 200
        configuration.recordPath = path
        try await SimulatorHarness.run(configuration) { simulator in
            #expect(try await simulator.service.status().prebuiltLeft == 200)
            // Stopping sends what is prebuilt: the host must not be ahead of the relays.
            await simulator.service.stop()
            let transcript = try await RelayTranscript.follow(simulator.addresses.relays[0], until: 200)
            #expect(transcript.distinctEvents == 200)
            #expect(simulator.service.record.eventCount == 200)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 200)
    }
}
