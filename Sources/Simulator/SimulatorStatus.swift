/// What `/sim/status` says.
public struct SimulatorStatus: Hashable, Sendable, Encodable {
    public var seed: UInt64
    public var accounts: Int
    /// `running`, `paused` (rate 0), `finished` (the rate's `events_max` is reached) or `stopped`.
    public var state: String
    /// Nothing more will come: no event or label is due, prebuilt or held by a relay. What readers have not taken yet is in the relays' windows.
    public var quiescent: Bool
    public var eventsProduced: Int
    public var prebuiltLeft: Int
    /// Faults that were asked for and still wait for an event.
    public var faultsWaiting: Int
    /// Faults that really happened, by name.
    public var faults: [String: Int]
    public var relays: [RelayStatus]
    public var labelsProduced: Int
    public var labelers: [RelayStatus]
    public var recordLines: Int
    /// Lines that are no longer in memory: above 0, only the file has all.
    public var recordLinesDropped: Int

    enum CodingKeys: String, CodingKey {
        case seed, accounts, state, quiescent, faults, relays, labelers
        case labelsProduced = "labels_produced"
        case eventsProduced = "events_produced"
        case prebuiltLeft = "prebuilt_left"
        case faultsWaiting = "faults_waiting"
        case recordLines = "record_lines"
        case recordLinesDropped = "record_lines_dropped"
    }
}
