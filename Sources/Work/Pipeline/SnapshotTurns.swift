internal import Broker
internal import Events
internal import Flow
internal import Logging
internal import Synchronization

/// Which shards of a process may apply a part of a snapshot now, in the order in which they asked; how many is decided by `SnapshotPace`.
///
/// Shared by the worker, whose live batches say how late they are, and the fetcher, which brings less while parts are few.
public final class SnapshotTurns: Sendable {
    private struct State {
        var pace: SnapshotPace
        var waiting: [Shard] = []
        /// Of the shards that may ask.
        var bells: [Shard: Bell] = [:]
        /// Whose turn it is, and how many bytes they may take.
        var granted: [Shard: Int] = [:]
        /// Entries in the shards' streams when they were looked at last.
        var lengths: [Int] = []
        /// Whose streams had entries then.
        var filled: Set<Shard> = []
        var wake: MonotonicTime?
    }

    private let state: Mutex<State>
    private let clock: WorkClock
    /// Rings when there is another time to wake at.
    private let timer = Bell()

    /// - Parameter delayTarget: of a live batch, from its read to its commit.
    public convenience init(delayTarget: Duration) { self.init(SnapshotPace(limits: .init(delayTarget: delayTarget)), clock: .system) }

    init(_ pace: SnapshotPace, clock: WorkClock) {
        state = Mutex(State(pace: pace))
        self.clock = clock
    }

    /// How many repositories may be fetched at once now, where `most` is full speed.
    func fetches(of most: Int) -> Int { state.withLock { $0.pace.fetches(of: most, waiting: $0.lengths, at: clock.monotonic()) } }

    /// A live batch was committed so long after its first entry was read.
    func live(delay: Duration) {
        let now = clock.monotonic()
        change { $0.pace.live(delay: delay, at: now) }
    }

    // MARK: A shard

    /// Its bell rings when it is its turn, and when its stream fills.
    func join(_ shard: Shard, _ bell: Bell) { state.withLock { $0.bells[shard] = bell } }

    /// It does not wait any longer, nor make use of its turn.
    func leave(_ shard: Shard) {
        let now = clock.monotonic()
        change { state in
            state.waiting.removeAll { $0 == shard }
            state.bells[shard] = nil
            if state.granted.removeValue(forKey: shard) != nil { state.pace.end(bytes: 0, took: .zero, at: now) }
        }
    }

    /// The bytes of a part where it is the shard's turn, and then ``done(_:bytes:took:)`` follows; else nil, and its place is kept.
    func ask(_ shard: Shard) -> Int? {
        change { state in
            if state.granted[shard] == nil, !state.waiting.contains(shard) { state.waiting.append(shard) }
        }
        return state.withLock { $0.granted[shard] }
    }

    func done(_ shard: Shard, bytes: Int, took: Duration) {
        let now = clock.monotonic()
        change { state in
            guard state.granted.removeValue(forKey: shard) != nil else { return }
            state.pace.end(bytes: bytes, took: took, at: now)
        }
    }

    /// Whether its stream had entries when it was looked at last.
    func isFilled(_ shard: Shard) -> Bool { state.withLock { $0.filled.contains(shard) } }

    /// It found nothing there.
    func emptied(_ shard: Shard) { state.withLock { _ = $0.filled.remove(shard) } }

    // MARK: Time

    /// Gives turns when time alone allows them, and says to shards whose streams fill; until the task is cancelled.
    func run(_ streams: SnapshotStreams, every interval: Duration, logger: Logger) async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                while !Task.isCancelled {
                    let wake = self.change { $0.wake }
                    await self.timer.wait(atMost: wake.map { max(.milliseconds(1), $0 - self.clock.monotonic()) } ?? .seconds(1))
                }
            }
            while !Task.isCancelled {
                do {
                    let lengths = try await streams.lengths()
                    let filled = Set(lengths.enumerated().lazy.filter { $0.element > 0 }.map(\.offset))
                    let bells = state.withLock { state in
                        defer { (state.lengths, state.filled) = (lengths, filled) }
                        return filled.subtracting(state.filled).compactMap { state.bells[$0] }
                    }
                    for bell in bells { bell.ring() }
                } catch {
                    logger.debug("the backfill streams can't be measured", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: interval)
            }
            group.cancelAll()
        }
    }

    /// Changes the state, and gives the turns that it allows then.
    @discardableResult
    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let now = clock.monotonic()
        let (result, bells, isNews) = state.withLock { state in
            let result = body(&state)
            var bells: [Bell] = []
            let before = state.wake
            state.wake = nil
            giving: while let first = state.waiting.first {
                switch state.pace.begin(at: now) {
                case .go(let bytes):
                    state.waiting.removeFirst()
                    state.granted[first] = bytes
                    if let bell = state.bells[first] { bells.append(bell) }
                case .rest(let until):
                    state.wake = until
                    break giving
                case .full: break giving
                }
            }
            return (result, bells, state.wake != nil && state.wake != before)
        }
        for bell in bells { bell.ring() }
        if isNews { timer.ring() }
        return result
    }
}
