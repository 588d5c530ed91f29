/// The name of a run: 1 to 256 bytes of `A-Z a-z 0-9 . _ : / -`; the live firehose of shard 3 is `firehose/3`, its labels `labels/3`.
public struct RunID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let description: String

    /// Nil where the text is empty, too long, or has another character.
    public init?(_ text: some StringProtocol) {
        guard (1...256).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        description = String(text)
    }

    private init(trusted: String) { description = trusted }

    public static func firehose(_ shard: Shard) -> RunID { live(.firehose, shard) }

    public static func labels(_ shard: Shard) -> RunID { live(.labels, shard) }

    /// The run of a shard that never ends.
    public static func live(_ log: LiveLog, _ shard: Shard) -> RunID { RunID(trusted: "\(log.rawValue)/\(shard)") }

    /// The run that tells how a host's backfill goes; nil where the host's name can't stand in a run's id.
    public static func backfill(host: String) -> RunID? { RunID("backfill/\(host)") }

    /// The shard of a live firehose run, nil for any other run.
    public var firehoseShard: Shard? { shard(of: .firehose) }

    /// The shard of a live run, nil for any other run.
    public var liveShard: Shard? { LiveLog.allCases.lazy.compactMap { shard(of: $0) }.first }

    private func shard(of log: LiveLog) -> Shard? {
        guard description.hasPrefix(log.rawValue), let slash = description.firstIndex(of: "/") else { return nil }
        guard let shard = Int(description[slash...].dropFirst()), shard >= 0, Self.live(log, shard) == self else { return nil }
        return shard
    }

    public static func < (a: Self, b: Self) -> Bool { a.description < b.description }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
