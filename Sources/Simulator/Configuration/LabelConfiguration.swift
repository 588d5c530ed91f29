/// How fast labelers label, and what their labels are like.
public struct LabelConfiguration: Sendable, Hashable {
    /// Labels of all labelers together each second, 0 to infinity; the control API changes it later.
    public var labelsPerSecond: Double
    /// Shares of all labels, each 0 to 1: without a signature, as old labelers send them; those that withdraw one; those that expire.
    public var unsignedShare: Double
    public var negationShare: Double
    public var expiryShare: Double
    /// The share of labels that are about an account instead of one of its records.
    public var accountShare: Double
    /// Labels of the largest frames, 1 to 50; two of three frames have one.
    public var labelsPerFrameMax: Int
    /// Labels that one labeler has current at most, 1 to 1,000,000; then it only changes and withdraws.
    public var currentMax: Int

    public init(
        labelsPerSecond: Double = 5, unsignedShare: Double = 0.1, negationShare: Double = 0.15, expiryShare: Double = 0.1,
        accountShare: Double = 0.25, labelsPerFrameMax: Int = 5, currentMax: Int = 100_000
    ) {
        self.labelsPerSecond = labelsPerSecond
        self.unsignedShare = unsignedShare
        self.negationShare = negationShare
        self.expiryShare = expiryShare
        self.accountShare = accountShare
        self.labelsPerFrameMax = labelsPerFrameMax
        self.currentMax = currentMax
    }

    func validate() throws(SimulatorError) {
        try SimulatorConfiguration.check(labelsPerSecond, "labels.labelsPerSecond", 0...Double.infinity)
        let shares = [
            ("unsignedShare", unsignedShare), ("negationShare", negationShare), ("expiryShare", expiryShare), ("accountShare", accountShare),
        ]
        for (key, value) in shares { try SimulatorConfiguration.check(value, "labels.\(key)", 0...1) }
        try SimulatorConfiguration.check(labelsPerFrameMax, "labels.labelsPerFrameMax", 1...50)
        try SimulatorConfiguration.check(currentMax, "labels.currentMax", 1...1_000_000)
    }
}
