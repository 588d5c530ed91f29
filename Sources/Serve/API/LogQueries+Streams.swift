import Events
import Ledger

/// Whether a stream can be had, and from where it begins.
extension LogQueries {
    /// A run's stream. Where no place is named it begins behind what its subscription has acknowledged, else at the first event.
    func open(_ id: RunID, after: Int64?, _ options: StreamOptions) async -> StreamOpening {
        await opening {
            guard let run = try await store.run(id) else { throw Self.noSuch(id) }
            try Self.check(after, run)
            var plan = StreamPlan(
                runs: [id], isMerged: false, positions: [after ?? 0], selection: options.selection, wire: options.wire)
            plan.published = [published(run)]
            try await subscribe(&plan, to: .run(id), options, isPlaceNamed: after != nil)
            // The run may have gone on since: what is acknowledged was there.
            let last = max(run.lastSeq, plan.positions[0])
            if plan.subscription != nil, after == nil, plan.positions[0] > run.lastSeq {
                guard let again = try await store.run(id) else { throw Self.noSuch(id) }
                try Self.check(plan.positions[0], again)
            }
            guard run.state != .started, plan.positions[0] == last else { return .accepted(plan) }
            if plan.wire == .sse { return .refused(.nothingMore) }
            plan.isOver = true
            return .accepted(plan)
        }
    }

    private func published(_ run: RunSummary) -> Int64 { min((run.nextSeq[sink] ?? 1) - 1, run.lastSeq) }

    private static func check(_ after: Int64?, _ run: RunSummary) throws(Problem) {
        guard let after, after > run.lastSeq else { return }
        throw Problem(
            .cursorAhead, "the run has no such seq yet", parameter: "fromSeq or Last-Event-ID", given: "\(after)", allowed: "0 to \(run.lastSeq)")
    }

    /// A merged log: one position a shard. Where no place is named it begins behind what its subscription has acknowledged, else now.
    func openMerged(_ log: LiveLog, _ start: Route.MergedStart?, _ options: StreamOptions) async -> StreamOpening {
        await opening {
            let runs = (0..<shards.count).map { RunID.live(log, $0) }
            let summaries = try await store.runs(runs)
            let lastSeqs = runs.map { summaries[$0]?.lastSeq ?? 0 }
            let positions: [Int64]
            switch start {
            case .now, nil: positions = zip(runs, lastSeqs).map { (summaries[$0]?.nextSeq[sink]).map { $0 - 1 } ?? $1 }
            case .earliest: positions = lastSeqs.map { _ in 0 }
            case .at(let cursor):
                guard cursor.seqs.count == shards.count else {
                    throw Problem.parameter("cursor", given: "of \(cursor.seqs.count) shards", allowed: "of \(shards.count) shards")
                }
                if let ahead = zip(cursor.seqs, lastSeqs).enumerated().first(where: { $1.0 > $1.1 }) {
                    throw Problem(
                        .cursorAhead, "shard \(ahead.offset) has no such seq yet", parameter: "cursor or Last-Event-ID",
                        given: "\(ahead.element.0)", allowed: "0 to \(ahead.element.1)")
                }
                positions = cursor.seqs
            }
            var plan = StreamPlan(runs: runs, isMerged: true, positions: positions, selection: options.selection, wire: options.wire)
            plan.published = runs.map { summaries[$0].map(published) ?? 0 }
            try await subscribe(&plan, to: .log(log), options, isPlaceNamed: start != nil)
            return .accepted(plan)
        }
    }

    /// Opens the subscription that the client names, and where it named no place takes the subscription's.
    private func subscribe(
        _ plan: inout StreamPlan, to topic: SubscriptionTopic, _ options: StreamOptions, isPlaceNamed: Bool
    ) async throws {
        guard let name = options.subscription else { return }
        let key = SubscriptionKey(topic: topic, name: name)
        guard let opening = try await subscriptions.openSubscription(key, start: plan.positions) else {
            throw Problem(
                .tooManySubscriptions, "there are as many subscriptions as there may be", allowed: "\(Ledger.subscriptionsMax): delete one")
        }
        plan.subscription = SubscriptionBoard.Handle(key: key, connection: opening.connection)
        guard !isPlaceNamed, opening.positions.count == plan.positions.count else { return }
        plan.positions = opening.positions
        if let pending = board.pending(key) { plan.positions = zip(plan.positions, pending).map(max) }
    }
}
