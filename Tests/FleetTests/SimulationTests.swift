import Simulator
import Testing

@testable import Fleet

@Suite struct SimulationTests {
    private static func network(_ flags: String...) throws -> SimulatorConfiguration {
        Simulation.network(try FleetConfiguration.load(file: nil, environment: [:], flags: flags))
    }

    @Test("without further keys the network is the one that it has always been, on the ports that it has always had")
    func standard() throws {
        let network = try Self.network()
        #expect(network.repositoryHosts == 1 && network.labelers.isEmpty && network.content == ContentConfiguration())
        #expect(network.relays.map(\.port) == [7500, 7501])
        #expect([network.servers.directoryPort, network.servers.repositoryHostPort, network.servers.controlPort] == [7502, 7503, 7504])
    }

    @Test("further hosts and labelers take the ports above, each its own")
    func further() throws {
        let network = try Self.network(
            "simulator.repository_hosts=3", "simulator.labelers=2", "simulator.initial_records=20", "simulator.accounts=100000",
            "simulator.huge_repositories=1", "simulator.huge_bytes=8MiB", "simulator.label_rate=40")
        #expect(network.accounts == 100_000 && network.repositoryHosts == 3)
        #expect(network.servers.controlPort == 7504 && network.servers.furtherHostsPort == 7505)
        #expect(network.labelers.map(\.port) == [7507, 7508])
        #expect(network.content.initialRecordsMin == 20 && network.content.initialRecordsMax == 20)
        #expect(network.content.hugeRepositories == 1 && network.content.hugeBytes == 8 << 20)
        #expect(network.labels.labelsPerSecond == 40)
        try network.validate()
    }

    @Test("port 0 takes free ones for all")
    func freePorts() throws {
        let network = try Self.network("simulator.bind=127.0.0.1:0", "simulator.repository_hosts=2", "simulator.labelers=1")
        #expect(network.servers.furtherHostsPort == 0 && network.labelers.map(\.port) == [0] && network.relays.map(\.port) == [0, 0])
    }
}
