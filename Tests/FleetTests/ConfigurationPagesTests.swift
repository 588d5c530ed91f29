import Events
import Foundation
import Testing

@testable import Fleet

@Suite struct ConfigurationPagesTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func read(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test("the page of all keys is what the table says (weir config --reference)")
    func page() throws {
        let page = try read("Sources/Fleet/Fleet.docc/Configuration.md")
        let marks = page.components(separatedBy: "<!-- keys: made by `weir config --reference` -->\n")
        try #require(marks.count == 2)
        #expect(marks[1] == ConfigurationReference.markdown() + "\n")
    }

    @Test("the sample file is what the table says (weir config --sample), and sets every key to its default")
    func sample() throws {
        let file = try read("ops/weir.yaml")
        #expect(file == ConfigurationReference.sampleFile())
        let set = try ConfigurationSet(ConfigurationSet.Sources(file: (file, "weir.yaml")))
        let defaults = try ConfigurationSet(ConfigurationSet.Sources())
        for (entry, standard) in zip(set.entries, defaults.entries) { #expect(entry.value == standard.value, "\(entry.key.path)") }
    }

    @Test("no two keys share a path or a variable, and every key is read by FleetConfiguration under its own type")
    func table() throws {
        let keys = ConfigurationTable.keys
        #expect(Set(keys.map(\.path)).count == keys.count)
        #expect(Set(keys.map(\.variable)).count == keys.count)
        let source = try ["", "+Repositories", "+Access", "+Retention", "+Sinks"].map {
            try read("Sources/Fleet/Configuration/FleetConfiguration\($0).swift")
        }.joined()
        for key in keys { #expect(source.contains("\"\(key.path)\""), "nothing reads \(key.path)") }
        // A read of another type than the table's stops the process, so reading each is the test.
        let c = try FleetConfiguration.load(file: nil, environment: [:], flags: [])
        let numbers: [Int] = [
            c.postgresConnections, c.shards, c.highWaterEntries, c.highWaterBytes, c.highWaterMemoryPercent, c.workerBatchEntries, c.workerBatchBytes,
            c.streamTailEntries, c.identityFetches, c.publisherBatchEvents, c.outletKeepEntries, c.apiClientBuffer, c.apiClients, c.simulatorSeed,
            c.simulatorAccounts, c.simulatorRate, c.simulatorRelays, c.simulatorPrebuild, c.backfillPage, c.backfillQueueHighWater, c.backfillJobsMax,
            c.fetchConcurrency, c.fetchHostConcurrency, c.fetchHostRate, c.fetchRepoBytesMax, c.fetchHighWater,
            c.simulatorRepositoryHosts, c.simulatorInitialRecords, c.simulatorHugeRepositories, c.simulatorHugeBytes, c.simulatorLabelers,
            c.simulatorLabelRate, c.apiBodyBytes, c.apiTokenRate, c.apiTokenConnections, c.logKeepDays, c.logKeepDaysMax,
        ]
        let times: [Duration] = [
            c.leaseTTL, c.leaseRenewal, c.predecessorWait, c.identityWait, c.identityLifetime, c.publisherPoll, c.apiHeartbeat, c.readyStallAfter,
            c.shutdownGrace, c.backfillPoll, c.backfillLiveDelay,
        ]
        let addresses = [c.apiBind, c.operationsBind, c.simulatorBind]
        #expect(numbers.allSatisfy { $0 >= 0 } && times.allSatisfy { $0 >= .zero } && addresses.allSatisfy(\.isLoopback))
        #expect(
            c.isStrict && !c.allowsPrivateHosts && !c.apiAllowsWrites && !c.apiAllowsAnonymous && c.apiTokens.isEmpty && c.apiTokensFile == nil
                && c.relayHosts.count == 1)
        #expect(!c.hasLabelers && c.labelerStart == "earliest" && c.labelerFutureCursor == "earliest")
        #expect(c.reposScope == .live && c.reposSignal == nil && c.reposCollections.isEmpty && c.reposFile == nil && c.fetchSpool == nil)
        #expect(c.backfillHosts == ["https://relay1.us-west.bsky.network"] && c.fetchFallbackHosts == c.backfillHosts)
    }
}
