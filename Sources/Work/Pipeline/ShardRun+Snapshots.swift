internal import Broker
internal import Events
internal import Flow
internal import Ledger
internal import Logging

/// The steps of a shard's owner that concern snapshots of tracked repositories. Each is one commit, between two batches of the live stream.
extension ShardRun {
    /// Takes what stands next in the backfill stream, a bounded part of it. False where nothing was there.
    mutating func takeSnapshots() async throws -> Bool { try await takeSnapshotPart(bytes: SnapshotLimits.batchBytes) > 0 }

    /// The same with a bound of about so many bytes, one entry at least; gives how many it took of.
    mutating func takeSnapshotPart(bytes: Int) async throws -> Int {
        guard let snapshots = context.snapshots else { return 0 }
        let asked = snapshotCount.count(within: min(bytes, SnapshotLimits.batchBytes))
        let read = try await snapshots.read(lease.shard, after: backfillPosition, count: asked)
        guard !read.isEmpty else { return 0 }
        let size = read.reduce(0) { $0 + $1.size }
        snapshotCount.read(entries: read.count, bytes: size)
        var batch = ShardBatch(lease: lease)
        var entries: [SnapshotEntry] = []
        var ids: [EntryID] = []
        for item in read {
            switch item.content {
            case .entry(let entry):
                entries.append(entry)
                ids.append(item.id)
            case .undecodable(let detail):
                // Whatever it was a part of runs past its deadline, and is fetched again.
                let entry = UpstreamEntry(host: "", session: 0, n: 0, position: Position(epoch: 0, seq: 0), kind: .malformed)
                batch.refused.append(RefusedMessage(reason: "undecodableEntry", detail: "\(item.id): \(detail)", entry: entry))
            }
        }
        batch.tracked.offset = read.last?.id
        let count = SnapshotDecision.prefix(entries)
        if count < entries.count {
            // Undecodable ones behind the cut are met again; counted twice at most.
            entries.removeSubrange(count...)
            batch.tracked.offset = ids[count - 1]
        }
        try await take(entries, ids: ids, batch)
        try await snapshots.mirror(lease.shard, committed: backfillPosition)
        return max(1, size)
    }

    /// Makes the stream ready for a reader at the committed position, also after Redis lost it.
    func prepareSnapshots() async throws { try await context.snapshots?.prepare(lease.shard, committed: backfillPosition) }

    private mutating func take(_ entries: [SnapshotEntry], ids: [EntryID], _ start: ShardBatch) async throws {
        var batch = start
        let dids = Set(entries.map(\.did))
        let chains = try await chains(of: dids)
        let rows = try await context.ledger.snapshots(shard: lease.shard, dids: dids.sorted())
        let beginning = Set(entries.lazy.filter { $0.n == 0 }.map(\.did))
        let attempts = try await context.ledger.currentAttempts(beginning.sorted())
        let probe = SnapshotDecision(
            batch: batch, chains: chains, progress: rows.mapValues(SnapshotProgress.init), holds: holds, attempts: attempts,
            tracking: context.configuration.tracking)
        let ranges = probe.ranges(for: entries).sorted { $0.key < $1.key }
        let found = try await context.ledger.delivered(
            shard: lease.shard, in: ranges.map(\.value), most: SnapshotLimits.deliveredOfRange)
        let delivered = Dictionary(uniqueKeysWithValues: zip(ranges.map(\.key), found))
        var decision = probe
        var taken = 0
        for (place, entry) in entries.enumerated() {
            let records = delivered[place] ?? []
            guard decision.take(entry, delivered: records, isAll: records.count < SnapshotLimits.deliveredOfRange) else {
                // The rest of it comes with the next call.
                decision.stop(before: place == 0 ? nil : ids[place - 1])
                break
            }
            taken += 1
        }
        batch = decision.finished()
        try await commit(batch, chains: decision.chains, changed: decision.changed, woken: decision.woken)
        if let offset = batch.tracked.offset { backfillPosition = offset }
        metrics.snapshots(entries: taken, applied: decision.applied)
    }

    /// Carries out what was asked about repositories of this shard: they leave the scope, or come back into it. False where nothing was asked.
    mutating func carryOutRequests() async throws -> Bool {
        guard context.configuration.tracking.isTracked else { return false }
        let requests = try await context.ledger.repositoryRequests(shard: lease.shard, limit: SnapshotLimits.requests)
        guard !requests.isEmpty else { return false }
        var chains = try await chains(of: Set(requests.map(\.did)))
        var changed = Set<String>()
        var batch = ShardBatch(lease: lease)
        for request in requests {
            var chain = chains[request.did] ?? RepositoryChain(isTracked: true)
            let isNews =
                switch request.action {
                case .remove: chain.remove()
                case .add: chain.add()
                }
            batch.tracked.requestsDone.append(request)
            guard isNews else { continue }
            chains[request.did] = chain
            changed.insert(request.did)
            if request.action == .remove {
                batch.tracked.recordsDropped.append(request.did)
                batch.tracked.snapshotsDropped.append(request.did)
                batch.tracked.heldDropped.append(request.did)
            } else {
                batch.tracked.wants[request.did] = RepositoryChain.Want.added.text
            }
            batch.events.append(
                LogEvent(
                    run: batch.run, seq: 0, kind: .sync, did: request.did, live: false, body: TrackedEvents.state(chain.status, reason: "")))
        }
        batch.repositories = changed.sorted().compactMap { did in chains[did].map { BatchDecision.state(did, $0) } }
        try await commit(batch, chains: chains, changed: changed, woken: [])
        context.logger.info("requests carried out", metadata: ["shard": "\(lease.shard)", "count": "\(requests.count)"])
        return true
    }
}
