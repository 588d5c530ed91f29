import ATProto
import Testing

@testable import Simulator

@Suite struct ArchiveOrderTests {
    /// The sections' CIDs as they stand, and those of a walk: the commit, then each record.
    private static func orders(_ order: ArchiveOrder) async throws -> (sections: [CID], commit: CID, records: [CID]) {
        var configuration = SimulatedNetworkTests.configuration(accounts: 3)
        configuration.content.archiveOrder = order
        configuration.content.initialRecordsMin = 80
        let network = SimulatedNetwork(configuration: configuration, startMicroseconds: SimulatedNetworkTests.start)
        let car = try await network.repository(of: network.dids[0]).get()
        var reader = try CARReader(car)
        var sections: [CID] = []
        while let section = try reader.next() { sections.append(section.cid) }
        let repository = try Repository(car: car)
        var walk = try repository.walk()
        var records: [CID] = []
        while let record = try walk.next() { records.append(record.cid) }
        return (sections, repository.commitCID, records)
    }

    @Test("in the tree's order nothing comes before what refers to it, and records stand in order of keys")
    func tree() async throws {
        let (sections, commit, records) = try await Self.orders(.tree)
        #expect(sections.first == commit)
        #expect(sections.filter(Set(records).contains) == records)
        // The first record comes long before the last node.
        let last = try #require(sections.lastIndex { !records.contains($0) })
        #expect(try #require(sections.firstIndex(of: records[0])) < last)
    }

    @Test("nodes first is the commit, the nodes, the records; shuffled is none of these orders")
    func others() async throws {
        let (sections, commit, records) = try await Self.orders(.nodesFirst)
        #expect(sections.first == commit)
        #expect(Set(sections.suffix(records.count)) == Set(records))
        let shuffled = try await Self.orders(.shuffled)
        #expect(shuffled.sections.count == sections.count && Set(records).isSubset(of: shuffled.sections))
        #expect(shuffled.sections.filter(Set(records).contains) != records)
        #expect(Set(shuffled.sections.suffix(records.count)) != Set(records))
    }
}
