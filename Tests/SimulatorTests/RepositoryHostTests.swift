import ATProto
import Foundation
import NIOHTTP1
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct RepositoryHostTests {
    private static func configuration(hosts: Int = 3) -> SimulatorConfiguration {
        var configuration = SimulatorHarness.configuration(accounts: 25)
        configuration.repositoryHosts = hosts
        return configuration
    }

    @Test("each host lists its own accounts and answers for them only, a relay for all, and a document names the account's host")
    func severalHosts() async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let dids = await simulator.service.dids
            let addresses = simulator.addresses
            #expect(addresses.repositoryHosts.count == 3)
            #expect(Set(addresses.repositoryHosts).count == 3)
            for (place, host) in addresses.repositoryHosts.enumerated() {
                let own = dids.enumerated().filter { $0.offset % 3 == place }.map(\.element)
                #expect(try await simulator.listed("http://\(host)/xrpc/com.atproto.sync.listRepos?limit=4") == own)
                let document = try await simulator.get("http://\(addresses.directory)/\(own[1])").body
                #expect(try DIDDocument(parsing: document, did: own[1]).host == "http://\(host)")
                for (other, address) in addresses.repositoryHosts.enumerated() {
                    let answer = try await simulator.get("http://\(address)/xrpc/com.atproto.sync.getRepo?did=\(own[1])")
                    #expect(answer.status == (other == place ? .ok : .badRequest))
                    if other != place { #expect(answer.json["error"] as? String == "RepoNotFound") }
                    let status = try await simulator.get("http://\(address)/xrpc/com.atproto.sync.getRepoStatus?did=\(own[1])")
                    #expect(status.status == (other == place ? .ok : .badRequest))
                }
            }
            #expect(try await simulator.listed("http://\(addresses.relays[1])/xrpc/com.atproto.sync.listRepos?limit=10") == dids)
            // A cursor belongs to the host that gave it.
            let page = try await simulator.get("http://\(addresses.repositoryHosts[0])/xrpc/com.atproto.sync.listRepos?limit=2").json
            let cursor = try #require(page["cursor"] as? String)
            let other = try await simulator.get("http://\(addresses.repositoryHosts[1])/xrpc/com.atproto.sync.listRepos?cursor=\(cursor)")
            #expect(other.status == .badRequest)
        }
    }

    @Test("listReposByCollection gives just the accounts that hold a record of it, in pages")
    func byCollection() async throws {
        try await SimulatorHarness.run(Self.configuration(hosts: 2)) { simulator in
            let dids = await simulator.service.dids
            let base = "http://\(simulator.addresses.repositoryHosts[1])/xrpc/com.atproto.sync"
            var expected: [String] = []
            for did in dids.enumerated().filter({ $0.offset % 2 == 1 }).map(\.element) {
                var walk = try Repository(car: try await simulator.get("\(base).getRepo?did=\(did)").body).walk()
                while let record = try walk.next() {
                    guard record.path.hasPrefix("app.bsky.graph.follow/") else { continue }
                    expected.append(did)
                    break
                }
            }
            #expect(!expected.isEmpty && expected.count < 12)
            #expect(try await simulator.listed("\(base).listReposByCollection?collection=app.bsky.graph.follow&limit=3") == expected)
            #expect(try await simulator.listed("\(base).listReposByCollection?collection=com.example.nothing&limit=3").isEmpty)
            #expect(try await simulator.get("\(base).listReposByCollection?limit=3").status == .badRequest)
            #expect(try await simulator.get("\(base).listReposByCollection?collection=a.b.c&limit=2001").status == .badRequest)
        }
    }
}

extension SimulatorHarness {
    /// The DIDs of a listing, over all its pages.
    func listed(_ url: String) async throws -> [String] {
        var dids: [String] = []
        var cursor: String?
        repeat {
            let page = try await get(url + (cursor.map { "&cursor=\($0)" } ?? "")).json
            dids += (page["repos"] as? [[String: Any]] ?? []).compactMap { $0["did"] as? String }
            cursor = page["cursor"] as? String
        } while cursor != nil
        return dids
    }
}
