public import Events

/// Which sinks run in a process, and what has to happen so that they are the desired ones.
///
/// Each sink is looked at by itself. One that changed ends first, and begins anew when it has ended, so that no sink ever runs twice in a process;
/// one that ended by itself begins anew too. Nothing is demanded of all of them together.
public struct SinkRoster: Sendable {
    /// As it is desired.
    public struct Desired: Hashable, Sendable {
        public var name: SinkName
        /// Grows with every change of what it is or shall do.
        public var generation: Int64

        public init(_ name: SinkName, generation: Int64) {
            self.name = name
            self.generation = generation
        }
    }

    public enum Step: Hashable, Sendable {
        /// To be registered, then begun.
        case begin(Desired)
        /// To be told to end; ``ended(_:)`` follows.
        case end(SinkName)
    }

    private struct Running: Sendable {
        var generation: Int64
        var isEnding: Bool
    }

    private var running: [SinkName: Running] = [:]

    public init() {}

    /// Those that run, also those that are ending.
    public var names: Set<SinkName> { Set(running.keys) }

    /// In order of name: what is to be done now. Steps that were given are taken for done or under way.
    public mutating func reconcile(_ desired: [Desired]) -> [Step] {
        let wanted = Dictionary(desired.map { ($0.name, $0) }, uniquingKeysWith: { $0.generation > $1.generation ? $0 : $1 })
        var steps: [Step] = []
        for (name, sink) in running.sorted(by: { $0.key < $1.key }) where !sink.isEnding && wanted[name]?.generation != sink.generation {
            running[name]?.isEnding = true
            steps.append(.end(name))
        }
        for sink in wanted.values.sorted(by: { $0.name < $1.name }) where running[sink.name] == nil {
            running[sink.name] = Running(generation: sink.generation, isEnding: false)
            steps.append(.begin(sink))
        }
        return steps
    }

    /// A sink ended, told or not; the next look begins it anew where it is still desired.
    public mutating func ended(_ name: SinkName) { running[name] = nil }
}
