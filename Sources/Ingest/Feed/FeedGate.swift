import Broker
import Events
import Flow
import Ledger
import Logging
import ServiceLifecycle
import Synchronization

/// Measures Redis for all upstreams of this process, and tells their readers when to pause and which shards to leave out.
///
/// While Redis cannot be measured the last decision stands; what then cannot be appended pauses the readers by its own bound.
final class FeedGate: Sendable {
    private struct State {
        var gate: HighWaterGate
        var bells: [Doorbell] = []
        var halted: Set<Shard> = []
        var isFailing = false
    }

    private let streams: any EntryStreams
    private let ledger: any UpstreamLedger
    private let interval: Duration
    private let keptTailEntries: Int
    private let logger: Logger
    private let state: Mutex<State>

    init(streams: any EntryStreams, ledger: any UpstreamLedger, configuration: FeedIngesterConfiguration, logger: Logger) {
        self.streams = streams
        self.ledger = ledger
        self.logger = logger
        interval = configuration.levelInterval
        keptTailEntries = configuration.keptTailEntries
        state = Mutex(State(gate: HighWaterGate(limits: configuration.highWater)))
    }

    var decision: HighWaterGate.Decision { state.withLock { $0.gate.decision } }

    /// A bell that rings when the gate opens. One for each upstream, made once.
    func subscribe() -> Doorbell {
        let bell = Doorbell()
        state.withLock { $0.bells.append(bell) }
        return bell
    }

    /// Measures until shutdown.
    func run() async {
        var round = 0
        let roundsPerHaltedLook = max(1, Int(Duration.seconds(2) / interval))
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            if round % roundsPerHaltedLook == 0 { await lookForHalted() }
            round += 1
            await measure()
            await Pause.sleep(interval)
        }
    }

    func measure() async {
        do throws(BrokerError) {
            let levels = try await streams.levels()
            take(levels)
        } catch {
            let isFirst = state.withLock { state in
                defer { state.isFailing = true }
                return !state.isFailing
            }
            if isFirst { logger.warning("Redis cannot be measured; the last decision stands", metadata: ["error": "\(error)"]) }
        }
    }

    private func take(_ levels: BrokerLevels) {
        let (before, after, bells) = state.withLock { state in
            let before = state.gate.decision
            state.isFailing = false
            state.gate.measured(
                HighWaterGate.Levels(
                    entries: levels.entries.map { max(0, $0 - keptTailEntries) }, bytes: levels.bytes, usedMemory: levels.usedMemory,
                    maxMemory: levels.maxMemory, halted: state.halted))
            return (before, state.gate.decision, state.bells)
        }
        if after.isOpen { bells.forEach { $0.ring() } }
        guard before != after else { return }
        let shed = after.shed.sorted().map(String.init).joined(separator: " ")
        logger.notice("the gate changed", metadata: ["paused_by": "\(after.pausedBy?.rawValue ?? "")", "shed_shards": "\(shed)"])
    }

    private func lookForHalted() async {
        do throws(LedgerError) {
            let halted = try await ledger.haltedShards()
            state.withLock { $0.halted = Set(halted.keys) }
        } catch {
            logger.debug("halted shards could not be read", metadata: ["error": "\(error)"])
        }
    }
}
