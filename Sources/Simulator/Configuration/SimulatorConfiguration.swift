/// What the simulated network is: its size, content, pace, servers and faults. Every value has a default that suits a demo.
public struct SimulatorConfiguration: Sendable, Hashable {
    /// Decides DIDs, keys, records, revs and the places of scheduled faults.
    public var seed: UInt64
    /// Accounts of the network, 1 to 100,000. One that was needed once takes about 450 bytes of memory for each of its records.
    public var accounts: Int
    /// Hosts of repositories, 1 to 64, each with an address, accounts and faults of its own. An account begins at the host that its place says.
    public var repositoryHosts: Int
    /// The instant from which revs grow, in microseconds since 1970; nil is the process's start. Fix it to get the same revs again.
    public var startMicroseconds: Int64?
    /// True: a message's `time` is the wall clock's when it is sent, so that a lag measured from it means something. False: it follows the seed.
    public var stampsWallTime: Bool
    /// How fast changes are made at first; the control API changes it later.
    public var rate: EventRate
    /// Events made and signed before serving starts, for bursts beyond the speed of signing; 0 to 500,000 (about 5 KB of memory each).
    public var prebuild: Int
    public var content: ContentConfiguration
    /// The relays, 1 to 8, each with its own numbers, order and window.
    public var relays: [RelayConfiguration]
    /// The labelers, at most 8; none where nobody asks for them.
    public var labelers: [LabelerConfiguration]
    public var labels: LabelConfiguration
    public var servers: ServerConfiguration
    /// Faults from the start; the control API adds others.
    public var faults: [FaultOrder]
    /// A file that receives every line of the record, or nil.
    public var recordPath: String?
    /// Lines of the record kept in memory for `/sim/record`, at least 1,000; the oldest are given up first and counted.
    public var recordLinesMax: Int

    public init(
        seed: UInt64 = 1, accounts: Int = 200, repositoryHosts: Int = 1, startMicroseconds: Int64? = nil, stampsWallTime: Bool = true,
        rate: EventRate = EventRate(), prebuild: Int = 0, content: ContentConfiguration = ContentConfiguration(),
        relays: [RelayConfiguration] = [RelayConfiguration(name: "relay-a"), RelayConfiguration(name: "relay-b", cursorIsInclusive: true)],
        labelers: [LabelerConfiguration] = [], labels: LabelConfiguration = LabelConfiguration(),
        servers: ServerConfiguration = ServerConfiguration(), faults: [FaultOrder] = [], recordPath: String? = nil, recordLinesMax: Int = 250_000
    ) {
        self.seed = seed
        self.accounts = accounts
        self.repositoryHosts = repositoryHosts
        self.startMicroseconds = startMicroseconds
        self.stampsWallTime = stampsWallTime
        self.rate = rate
        self.prebuild = prebuild
        self.content = content
        self.relays = relays
        self.labelers = labelers
        self.labels = labels
        self.servers = servers
        self.faults = faults
        self.recordPath = recordPath
        self.recordLinesMax = recordLinesMax
    }

    /// Throws the first value that is out of its range, with its key and what is allowed.
    public func validate() throws(SimulatorError) {
        try Self.check(accounts, "accounts", 1...100_000)
        try Self.check(repositoryHosts, "repositoryHosts", 1...64)
        try Self.check(prebuild, "prebuild", 0...500_000)
        try Self.check(relays.count, "relays", 1...8)
        try Self.check(labelers.count, "labelers", 0...8)
        try Self.check(recordLinesMax, "recordLinesMax", 1_000...100_000_000)
        try content.validate()
        try rate.validate()
        for relay in relays { try relay.validate() }
        for labeler in labelers { try labeler.stream.validate() }
        try labels.validate()
        for fault in faults { try check(fault) }
    }

    /// Whether this network can carry out an order.
    func check(_ order: FaultOrder) throws(SimulatorError) {
        try order.validate(relays: relays.count, hosts: repositoryHosts, labelers: labelers.count)
    }

    static func check<Value: Comparable>(_ value: Value, _ key: String, _ allowed: ClosedRange<Value>) throws(SimulatorError) {
        guard allowed.contains(value) else {
            throw SimulatorError(
                code: .invalidValue, message: "\(value) is not in \(allowed.lowerBound) to \(allowed.upperBound)", entity: "simulator.\(key)")
        }
    }
}
