/// All that runs for one owned shard: the pipeline of its firehose and that of its labels, under one lease.
///
/// They end together: a failure of either cancels the other (a batch of it may or may not have committed, and is found out at the next start), so that
/// none goes on under a lease that the fleet thinks unused, and the fleet starts both again or gives the shard up.
struct ShardPipelines: Sendable {
    let start: ShardFleet.Start
    let context: WorkContext

    /// Runs both until `start.stop`; the failure that came first, nil where there was none.
    func run() async -> ShardFailure? {
        await withTaskGroup(of: ShardFailure?.self) { group in
            group.addTask {
                await Self.ending { () async throws(ShardFailure) in
                    try await ShardPipeline(lease: start.lease, context: context).run(until: start.stop, trusted: start.trust)
                }
            }
            group.addTask {
                await Self.ending { () async throws(ShardFailure) in
                    try await LabelPipeline(lease: start.lease, context: context).run(until: start.stop, trusted: start.trust)
                }
            }
            var failure: ShardFailure?
            for await end in group {
                guard failure == nil, let end else { continue }
                failure = end
                group.cancelAll()
            }
            return failure
        }
    }

    private static func ending(_ pipeline: () async throws(ShardFailure) -> Void) async -> ShardFailure? {
        do throws(ShardFailure) {
            try await pipeline()
            return nil
        } catch {
            return error
        }
    }
}
