/// Events of one sink that wait for a person.
public struct DiagnosedLetters: Hashable, Sendable {
    public var sink: String
    /// Laid aside; their runs went on.
    public var dead: Int64
    /// Their runs wait for them.
    public var halted: Int64
    public var oldestAgeMs: Int64
    public var newestID: Int64
    public var newestError: String

    public init(sink: String, dead: Int64, halted: Int64, oldestAgeMs: Int64, newestID: Int64, newestError: String) {
        self.sink = sink
        self.dead = dead
        self.halted = halted
        self.oldestAgeMs = oldestAgeMs
        self.newestID = newestID
        self.newestError = newestError
    }
}
