import ATProto
import Foundation
import NIOHTTP1
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct RepositorySnapshotTests {
    @Test("/sim/repositories and the API of the process tell what every archive holds, with rev, root and status")
    func holdings() async throws {
        var configuration = SimulatorHarness.configuration(accounts: 20)
        configuration.repositoryHosts = 2
        // Lines longer than a part.
        configuration.content.initialRecordsMin = 40
        configuration.content.initialRecordsMax = 900
        try await SimulatorHarness.run(configuration) { simulator in
            try await simulator.service.set(EventRate(eventsPerSecond: .infinity, eventsMax: 300))
            _ = try await RelayTranscript.follow(simulator.addresses.relays[0], until: 300)
            let lines = try await simulator.get("\(simulator.addresses.controlURL)/sim/repositories").body.split(separator: UInt8(ascii: "\n"))
            var place = 0
            var inactive = 0
            for try await holding in simulator.service.repositories() {
                let line = try #require(try JSONSerialization.jsonObject(with: Data(lines[place])) as? [String: Any])
                #expect(line["did"] as? String == holding.did)
                #expect(line["status"] as? String == holding.status)
                #expect(line["host"] as? Int == place % 2)
                #expect(line["rev"] as? String == holding.rev)
                #expect(line["data"] as? String == holding.data)
                #expect(line["records"] as? [String: String] == holding.records)
                #expect(holding.records.count >= 20)
                place += 1
                let archive = try await simulator.get(
                    "http://\(simulator.addresses.repositoryHosts[holding.host])/xrpc/com.atproto.sync.getRepo?did=\(holding.did)")
                guard archive.status == .ok else {
                    inactive += 1
                    #expect(holding.status != "active")
                    continue
                }
                let repository = try Repository(car: archive.body)
                #expect(repository.commit.rev == holding.rev)
                #expect("\(repository.commit.data)" == holding.data)
                var walk = try repository.walk()
                var records: [String: String] = [:]
                while let record = try walk.next() { records[record.path] = "\(record.cid)" }
                #expect(records == holding.records)
            }
            #expect(place == 20 && lines.count == 20)
            #expect(inactive < 10)
            #expect(try await simulator.service.repository(of: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa") == nil)
        }
    }
}
