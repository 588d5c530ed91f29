/// Everything of the simulator that listens for strangers, bound and not yet served.
struct SimulatorServers: Sendable {
    let hosts: [HTTPListener]
    let directory: HTTPListener
    let relays: [RelayServer]
    let labelers: [RelayServer]
    /// The labelers' DIDs, by their places.
    let labelerDIDs: [String]

    static func bind(
        _ configuration: SimulatorConfiguration, network: SimulatedNetwork, labels: LabelMaker, faults: ServerFaults, counters: FaultCounters,
        record: SentRecord, onSent: (@Sendable (_ did: String, _ rev: String) -> Void)?
    ) async throws(SimulatorError) -> SimulatorServers {
        let servers = configuration.servers
        var hosts: [HTTPListener] = []
        for host in 0..<configuration.repositoryHosts {
            let server = RepositoryHostServer(network: network, faults: faults, host: host)
            hosts.append(try await HTTPListener.bind(host: servers.bindHost, port: servers.repositoryHostPort(host), responder: server))
        }
        var labelers: [RelayServer] = []
        var documents: [String: String] = [:]
        for (index, labeler) in configuration.labelers.enumerated() {
            let server = try await RelayServer.bind(
                seed: configuration.seed, index: index, isLabeler: true, configuration: labeler.stream, bindHost: servers.bindHost,
                counters: counters, record: record, fallback: LabelerResponder())
            labelers.append(server)
            documents[labels.labelers[index].did] = labels.labelers[index].document(serviceURL: "http://\(servers.address(server.listener))")
        }
        let directoryServer = DirectoryServer(
            network: network, faults: faults, repositoryHosts: hosts.map { "http://\(servers.address($0))" }, labelers: documents)
        let directory = try await HTTPListener.bind(host: servers.bindHost, port: servers.directoryPort, responder: directoryServer)
        var relays: [RelayServer] = []
        for (index, relay) in configuration.relays.enumerated() {
            relays.append(
                try await RelayServer.bind(
                    seed: configuration.seed, index: index, configuration: relay, bindHost: servers.bindHost, counters: counters, record: record,
                    onSent: onSent, fallback: RepositoryHostServer(network: network, faults: faults, host: nil)))
        }
        return SimulatorServers(
            hosts: hosts, directory: directory, relays: relays, labelers: labelers, labelerDIDs: labels.labelers.map(\.did))
    }
}

extension ServerConfiguration {
    /// Where others reach a listener.
    func address(_ listener: HTTPListener) -> String { "\(advertisedHost ?? bindHost):\(listener.port)" }
}
