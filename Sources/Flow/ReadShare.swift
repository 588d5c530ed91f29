/// How much of each stream a read of many streams asks for, where a reply is bounded by entries of each stream only (`XREAD COUNT`), and which of them are
/// read again.
///
/// All streams share the room of a reply evenly, whether they have something or not: of a stream in which much came at once a read brings a small piece.
/// Those that had all that was asked for are `full`; read by themselves they share the whole room.
public struct ReadShare<Stream: Hashable & Sendable>: Sendable {
    private var count: AdaptiveCount
    private let mostOfOne: Int
    /// Streams of which the last read brought as many entries as it asked for: they may have more.
    public private(set) var full: Set<Stream> = []

    /// - Parameter mostOfOne: entries of one stream in a read.
    public init(count: AdaptiveCount, mostOfOne: Int) {
        self.count = count
        self.mostOfOne = max(1, mostOfOne)
    }

    /// Entries of each of so many streams that a read asks for; at least one.
    public func ask(of streams: Int) -> Int { min(mostOfOne, max(1, count.count / max(1, streams))) }

    /// A read of `asked` entries of each brought these; streams without any may be left out.
    public mutating func read(_ brought: [Stream: (entries: Int, bytes: Int)], asked: Int) {
        count.read(entries: brought.values.reduce(0) { $0 + $1.entries }, bytes: brought.values.reduce(0) { $0 + $1.bytes })
        full = Set(brought.lazy.filter { $0.value.entries >= asked }.map(\.key))
    }

    /// A read brought nothing that could be used.
    public mutating func failed() { full = [] }
}
