/// One labeler: an endpoint of `com.atproto.label.subscribeLabels` with a numbering and a window of its own, from 1 and without gaps.
public struct LabelerConfiguration: Sendable, Hashable {
    /// For logs and the status; letters, digits and `-`.
    public var name: String
    /// 0 takes a free port.
    public var port: Int
    /// True: `cursor=N` brings N itself again. Servers differ.
    public var cursorIsInclusive: Bool
    /// False: a cursor that is too old or in the future is met in silence.
    public var announcesCursorFaults: Bool
    /// Bounds of what can be replayed.
    public var windowEntriesMax: Int
    public var windowBytesMax: Int

    public init(
        name: String, port: Int = 0, cursorIsInclusive: Bool = false, announcesCursorFaults: Bool = true, windowEntriesMax: Int = 100_000,
        windowBytesMax: Int = 64 << 20
    ) {
        self.name = name
        self.port = port
        self.cursorIsInclusive = cursorIsInclusive
        self.announcesCursorFaults = announcesCursorFaults
        self.windowEntriesMax = windowEntriesMax
        self.windowBytesMax = windowBytesMax
    }

    /// So many labelers of the same habits.
    public static func several(_ count: Int) -> [LabelerConfiguration] { (0..<count).map { LabelerConfiguration(name: "labeler-\($0 + 1)") } }

    /// The same as a relay's stream has it.
    var stream: RelayConfiguration {
        RelayConfiguration(
            name: name, port: port, firstSeq: 1, seqStepMax: 1, interleaveShare: 0, cursorIsInclusive: cursorIsInclusive,
            announcesCursorFaults: announcesCursorFaults, windowEntriesMax: windowEntriesMax, windowBytesMax: windowBytesMax)
    }
}
