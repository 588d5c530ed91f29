import Broker
import Events
import Outbox

/// Outlet streams in memory, with Redis' rule: an id must be above the stream's top.
actor MemoryOutlet: OutletWriter {
    private(set) var streams: [RunID: [Int64]] = [:]
    private(set) var refusals = 0
    private(set) var deletions = 0
    private var failures = 0
    private var failure = BrokerError.Code.unavailable
    /// What each batch was to keep, and each trim of its own.
    private(set) var keeps: [Int] = []
    private(set) var trims: [Int] = []
    private var used = 0

    func fail(_ count: Int, _ code: BrokerError.Code = .unavailable) { (failures, failure) = (count, code) }
    /// In percent of its limit.
    func fill(_ percent: Int) { used = percent }
    /// As somebody else would.
    func addForeign(_ run: RunID, id: Int64) { streams[run, default: []].append(id) }

    func publish(_ events: [LogEvent], run: RunID, lastSeq: Int64, keep: Int) async throws(BrokerError) -> OutletStreams.PublishResult {
        if failures > 0 {
            failures -= 1
            throw BrokerError(code: failure, message: "cut", place: "publish")
        }
        keeps.append(keep)
        for event in events {
            let top = streams[run]?.last ?? 0
            if event.seq > top {
                streams[run, default: []].append(event.seq)
            } else {
                refusals += 1
                if top > lastSeq { return .foreign(top: EntryID(milliseconds: UInt64(top), sequence: 0)) }
            }
        }
        return .published
    }

    func delete(run: RunID) async throws(BrokerError) {
        deletions += 1
        streams[run] = nil
    }

    func trim(run: RunID, keep: Int) async throws(BrokerError) { trims.append(keep) }

    func memory() async throws(BrokerError) -> BrokerMemory { BrokerMemory(used: used, max: 100) }
}
