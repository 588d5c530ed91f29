/// What accounts hold at the start and what they do.
public struct ContentConfiguration: Sendable, Hashable {
    /// Records of the largest repository at the start, 0 to 100,000; sizes are spread, few repositories are large. Nil: by the number of
    /// accounts, so that 200 accounts hold up to 1,200 records and 20,000 up to 20.
    public var initialRecordsMax: Int?
    /// Records of the smallest repository at the start, 0 to 100,000. Not below ``initialRecordsMax``: every account has so many.
    public var initialRecordsMin: Int
    /// Mean bytes of a record, 200 to 500,000; a tenth of all records are much larger, likes and follows smaller.
    public var recordBytesMean: Int
    /// Operations of the largest commits, 1 to 200. Nine of ten commits have one.
    public var operationsMax: Int
    /// Shares of the actions among operations; they need not add up to anything.
    public var createWeight: Double
    public var updateWeight: Double
    public var deleteWeight: Double
    /// Events that are not commits, per thousand events.
    public var identityPerThousand: Double
    public var accountPerThousand: Double
    public var syncPerThousand: Double
    /// How unevenly accounts act: 1 is evenly, 3 gives the busiest tenth about half of all events.
    public var activitySkew: Double
    /// Accounts that act by themselves, the first ones; nil: all. The others keep what they began with.
    public var actingAccounts: Int?
    /// In which order archives hold their blocks.
    public var archiveOrder: ArchiveOrder
    /// Repositories that are far larger than all others, 0 to 64: those of the last accounts, made when first needed.
    public var hugeRepositories: Int
    /// Records of each at the start, 1 to 2,000,000; about 450 bytes of memory each.
    public var hugeRecords: Int
    /// Bytes of the archive of each at the start, 1 to 2^40; what comes is within a tenth of it where records have 500 bytes to 50 KB.
    public var hugeBytes: Int

    public init(
        initialRecordsMax: Int? = nil, initialRecordsMin: Int = 0, recordBytesMean: Int = 900, operationsMax: Int = 20, createWeight: Double = 0.8,
        updateWeight: Double = 0.08, deleteWeight: Double = 0.12, identityPerThousand: Double = 6, accountPerThousand: Double = 4,
        syncPerThousand: Double = 2, activitySkew: Double = 2, actingAccounts: Int? = nil, archiveOrder: ArchiveOrder = .nodesFirst,
        hugeRepositories: Int = 0, hugeRecords: Int = 50_000, hugeBytes: Int = 256 << 20
    ) {
        self.initialRecordsMax = initialRecordsMax
        self.initialRecordsMin = initialRecordsMin
        self.recordBytesMean = recordBytesMean
        self.operationsMax = operationsMax
        self.createWeight = createWeight
        self.updateWeight = updateWeight
        self.deleteWeight = deleteWeight
        self.identityPerThousand = identityPerThousand
        self.accountPerThousand = accountPerThousand
        self.syncPerThousand = syncPerThousand
        self.activitySkew = activitySkew
        self.actingAccounts = actingAccounts
        self.archiveOrder = archiveOrder
        self.hugeRepositories = hugeRepositories
        self.hugeRecords = hugeRecords
        self.hugeBytes = hugeBytes
    }

    func recordsMax(accounts: Int) -> Int {
        initialRecordsMax ?? max(20, min(1_200, 400_000 / max(accounts, 1)))
    }

    /// Records that an account begins with, by its place.
    func initialRecords(_ index: Int, of accounts: Int) -> Int {
        if isHuge(index, of: accounts) { return hugeRecords }
        let share = 1 - Double(index) / Double(accounts)
        return max(initialRecordsMin, Int(Double(recordsMax(accounts: accounts)) * share * share * share))
    }

    func isHuge(_ index: Int, of accounts: Int) -> Bool { index >= accounts - hugeRepositories }

    /// Mean bytes of a record, by the account and the number of its write.
    func bytesMean(_ index: Int, number: Int, of accounts: Int) -> Int {
        guard isHuge(index, of: accounts), (0..<hugeRecords).contains(number) else { return recordBytesMean }
        // A record's section, and its share of the tree.
        return max(hugeBytes / hugeRecords - 130, 100)
    }

    func validate() throws(SimulatorError) {
        try SimulatorConfiguration.check(initialRecordsMax ?? 0, "content.initialRecordsMax", 0...100_000)
        try SimulatorConfiguration.check(initialRecordsMin, "content.initialRecordsMin", 0...100_000)
        try SimulatorConfiguration.check(recordBytesMean, "content.recordBytesMean", 200...500_000)
        try SimulatorConfiguration.check(operationsMax, "content.operationsMax", 1...200)
        try SimulatorConfiguration.check(hugeRepositories, "content.hugeRepositories", 0...64)
        try SimulatorConfiguration.check(hugeRecords, "content.hugeRecords", 1...2_000_000)
        try SimulatorConfiguration.check(hugeBytes, "content.hugeBytes", 1...(1 << 40))
        let shares = [
            ("createWeight", createWeight), ("updateWeight", updateWeight), ("deleteWeight", deleteWeight),
            ("identityPerThousand", identityPerThousand), ("accountPerThousand", accountPerThousand), ("syncPerThousand", syncPerThousand),
        ]
        for (key, value) in shares { try SimulatorConfiguration.check(value, "content.\(key)", 0...1_000) }
        try SimulatorConfiguration.check(createWeight + updateWeight + deleteWeight, "content.createWeight", 0.000_1...3_000)
        try SimulatorConfiguration.check(identityPerThousand + accountPerThousand + syncPerThousand, "content.syncPerThousand", 0...1_000)
        if let actingAccounts { try SimulatorConfiguration.check(actingAccounts, "content.actingAccounts", 1...100_000) }
        try SimulatorConfiguration.check(activitySkew, "content.activitySkew", 1...10)
    }
}
