/// Where an upstream stands: its own sequence number, within one numbering of it.
///
/// A relay or labeler that starts its numbers anew (a reset, a cursor in the future) opens a new epoch, so a position never turns
/// back: positions compare by epoch first. `seq` is 0 (before everything) to 2^53-1.
public struct Position: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var epoch: Int32
    public var seq: Int64

    public init(epoch: Int32, seq: Int64) {
        self.epoch = epoch
        self.seq = seq
    }

    public static func < (a: Self, b: Self) -> Bool { (a.epoch, a.seq) < (b.epoch, b.seq) }

    public var description: String { "\(epoch):\(seq)" }

    /// Reads `epoch:seq`; nil where it is not of that form.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = Int32(parts[0]), let seq = Int64(parts[1]), epoch >= 0, seq >= 0 else { return nil }
        self.init(epoch: epoch, seq: seq)
    }
}

/// The id of an entry of a Redis stream, `<milliseconds>-<sequence>`.
public struct EntryID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var milliseconds: UInt64
    public var sequence: UInt64

    public init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    public static let zero = EntryID(milliseconds: 0, sequence: 0)

    public static func < (a: Self, b: Self) -> Bool { (a.milliseconds, a.sequence) < (b.milliseconds, b.sequence) }

    public var description: String { "\(milliseconds)-\(sequence)" }

    /// Reads `ms-seq` or `ms` (sequence 0); nil where it is neither.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let milliseconds = UInt64(first) else { return nil }
        guard parts.count == 2 else {
            self.init(milliseconds: milliseconds, sequence: 0)
            return
        }
        guard let sequence = UInt64(parts[1]) else { return nil }
        self.init(milliseconds: milliseconds, sequence: sequence)
    }
}
