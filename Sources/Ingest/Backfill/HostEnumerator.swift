import ATProto
import Events
import Flow
import Ledger
import Logging
import ServiceLifecycle

/// One host whose list of repositories is read: under its lease, from the stored cursor, page by page, and told of in its run.
///
/// A crash leaves the cursor of the last stored page behind: its owner or the next one goes on from there.
struct HostEnumerator: Sendable {
    let host: BackfillHost
    let list: RepositoryList
    let configuration: BackfillIngesterConfiguration
    let ledger: Ledger
    let shards: ShardMap
    let seams: FaultSeams
    let logger: Logger
    let state: EnumerationState

    init(
        host: BackfillHost, list: RepositoryList, configuration: BackfillIngesterConfiguration, ledger: Ledger, shards: ShardMap, seams: FaultSeams,
        logger: Logger
    ) {
        self.host = host
        self.list = list
        self.configuration = configuration
        self.ledger = ledger
        self.shards = shards
        self.seams = seams
        state = EnumerationState(jobsMax: configuration.jobsMax, pageEntries: configuration.pageEntries)
        var logger = logger
        logger[metadataKey: "host"] = "\(host.name)"
        self.logger = logger
    }

    func run(worker: WorkerID) async {
        let work = configuration.leasedWork(on: host.name, leases: ledger, worker: worker, logger: logger)
        await work.run(report: { state.report }) { await enumerate($0) }
    }

    private func enumerate(_ ownership: UpstreamOwnership) async -> ConnectionEnd {
        var retry = RetryPolicy(limits: configuration.retry)
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do throws(LedgerError) {
                state.opened(try await ledger.openBackfillSource(ownership.lease, method: list.method))
            } catch {
                if error.code == .fenced { return ConnectionEnd(.leaseLost) }
                state.failed("\(error)")
                logger.warning("the enumeration could not be opened", metadata: ["error": "\(error)"])
                var generator = SystemRandomNumberGenerator()
                await Pause.sleep(retry.failed(at: ProcessClock.now, using: &generator))
                continue
            }
            return await withTaskGroup(of: ConnectionEnd.self) { group in
                group.addTask {
                    var listing = HostListing(self, ownership)
                    return await listing.run()
                }
                group.addTask {
                    var teller = BackfillTeller(self, ownership)
                    return await teller.run()
                }
                let first = await group.next()
                group.cancelAll()
                return first ?? ConnectionEnd(.cancelled)
            }
        }
        return ConnectionEnd(.cancelled)
    }

    /// What of a page becomes jobs. What is no DID is left out; a state that leaves nothing to fetch is kept as one.
    func listed(_ page: RepositoryListPage) -> (page: ListedPage, dropped: Int) {
        var entries: [ListedPage.Entry] = []
        entries.reserveCapacity(page.entries.count)
        for entry in page.entries where Syntax.isDID(entry.did) {
            let isFinal = !entry.isActive && entry.status.map(Self.finalStates.contains) == true
            entries.append(ListedPage.Entry(did: entry.did, shard: shards.shard(of: entry.did), rev: entry.rev, final: isFinal ? entry.status : nil))
        }
        return (ListedPage(entries: entries, cursor: page.cursor), page.dropped + page.entries.count - entries.count)
    }

    private static let finalStates: Set = ["takendown", "suspended", "deactivated", "deleted"]
}
