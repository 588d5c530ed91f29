import ATProto

/// Draws what labelers say next, and keeps what they have said. The same seed and the same network give the same labels, but for their times.
struct LabelMaker: Sendable {
    /// What a label may be about.
    struct Subject: Sendable {
        var did: String
        /// One of the account's records.
        var record: (path: String, cid: CID)?
    }

    private static let values = [
        "spam", "porn", "sexual", "nudity", "gore", "rude", "misleading", "impersonation", "!hide", "!warn", "river", "bot-account",
    ]

    let configuration: LabelConfiguration
    private let seed: UInt64
    private(set) var labelers: [SimulatedLabeler]
    private var random: RandomStream
    private var strangers = 0

    init(seed: UInt64, labelers count: Int, configuration: LabelConfiguration) throws(FormatError) {
        self.seed = seed
        self.configuration = configuration
        var labelers: [SimulatedLabeler] = []
        for index in 0..<count { labelers.append(try SimulatedLabeler(seed: seed, index: index)) }
        self.labelers = labelers
        random = RandomStream(seed: seed, "labels")
    }

    mutating func labeler() -> Int { random.below(labelers.count) }
    mutating func number(below bound: Int) -> Int { random.below(bound) }

    /// How many labels the next frame has.
    mutating func frameCount() -> Int { random.chance(0.67) ? 1 : 1 + random.below(configuration.labelsPerFrameMax) }

    /// The next label of a labeler, taken into its book.
    mutating func label(by index: Int, about subject: Subject, microseconds: Int64) throws(FormatError) -> SimulatedLabel {
        let book = labelers[index].book
        var label: SimulatedLabel
        if book.count > 0, random.chance(configuration.negationShare) {
            label = book[random.below(book.count)]
            label.neg = true
            label.expiryMicroseconds = nil
        } else if book.count > 0, book.count >= configuration.currentMax || random.chance(0.05) {
            label = book[random.below(book.count)]
            label.expiryMicroseconds = expiry(microseconds)
        } else {
            label = fresh(by: index, about: subject, microseconds)
        }
        label.cts = Timestamp.text(microseconds: microseconds)
        label.signature = nil
        if !random.chance(configuration.unsignedShare) { try label.sign(with: labelers[index].key) }
        labelers[index].book.take(label)
        return label
    }

    /// A label that looks like the labeler's and is signed by a key that it does not have; its book stays.
    mutating func forgery(by index: Int, about subject: Subject, microseconds: Int64) throws(FormatError) -> SimulatedLabel {
        strangers += 1
        var label = fresh(by: index, about: subject, microseconds)
        label.val = "forged-\(strangers)"
        let stranger = try SigningKey(.k256, secret: AccountNames(seed: seed).keySeed(index, generation: 4_000_000 + strangers))
        try label.sign(with: stranger)
        return label
    }

    private mutating func fresh(by index: Int, about subject: Subject, _ microseconds: Int64) -> SimulatedLabel {
        var label = SimulatedLabel(
            src: labelers[index].did, uri: subject.did, val: Self.values[random.below(Self.values.count)], neg: false,
            cts: Timestamp.text(microseconds: microseconds), expiryMicroseconds: expiry(microseconds))
        let isAboutAccount = random.chance(configuration.accountShare)
        let namesVersion = random.chance(0.8)
        if let record = subject.record, !isAboutAccount {
            label.uri = "at://\(subject.did)/\(record.path)"
            if namesVersion { label.cid = "\(record.cid)" }
        }
        return label
    }

    private mutating func expiry(_ microseconds: Int64) -> Int64? {
        random.chance(configuration.expiryShare) ? microseconds + Int64(2 + random.below(3_600)) * 1_000_000 : nil
    }
}
