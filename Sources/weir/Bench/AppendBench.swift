import Events
import Fleet
import Foundation
import Ledger
import Logging
import PostgresClient

/// What the log takes of a shard's batches, with all that a commit changes beside its rows, against a bare binary COPY of the same rows.
///
/// Both go through the same client into the same Postgres, one transaction a batch, in turns: COPY into a table like the log's with its partitions
/// and its index, COPY into a heap without any, commits. Owns its Postgres, in a folder that is removed at the end. Rows a second are
/// medians over the turns.
enum AppendBench: BenchPart {
    static let name = "append"

    /// Rows of a batch: what a worker takes at most of one shard under load (`worker.batch_entries`).
    static let batchRows = 500

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let folder = "/tmp/weir-bench-\(UInt32.random(in: 0...(.max)))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let servers = try LocalServers(folder: folder, redis: false, postgres: true, log: context.log)
        guard let url = servers.postgresURL else { throw Failure("no Postgres was started") }
        return try await servers.run { try await rows(at: url, context) }
    }

    static func rows(at url: String, _ context: BenchContext) async throws -> [BenchRow] {
        let repositories = context.isFull ? 1_000_000 : 200_000
        context.progress.show("filling the tables of the log", 0, 1)
        let lab = try await AppendLab.make(url: url, repositories: repositories, log: context.log)
        defer { context.progress.finish() }
        let sizes = [200, batchRows, 1000, 2000]
        let (rows, turns) = context.isFull ? (60_000, 9) : (12_000, 5)
        var single: [AppendLab.Rates] = []
        for (index, size) in sizes.enumerated() {
            context.progress.show("append", index, sizes.count + 2, note: "\(size) rows a batch")
            single.append(try await lab.measure(batchRows: size, connections: 1, rows: rows, turns: turns))
        }
        context.progress.show("append", sizes.count, sizes.count + 2, note: "side by side")
        let beside = try await lab.measure(batchRows: batchRows, connections: AppendLab.connections, rows: 2 * rows, turns: turns)
        context.progress.show("append", sizes.count + 1, sizes.count + 2, note: "behind a checkpoint")
        let fresh = try await lab.measure(batchRows: batchRows, connections: 1, rows: rows, turns: turns, fresh: true)
        let walBytes = try await lab.walBytes(batchRows: batchRows)
        await lab.end()

        let bySize = zip(sizes, single).map { "\($0): \(ratio($1.commit, $1.copy))" }.joined(separator: ", ")
        let shares = Int(AppendTraffic.repositoriesPerRow * 100)
        return [
            row(
                "append, 1 connection", single[1],
                "\(shares) of \(repositories / 1000)k repositories a 100 rows, bodies of \(AppendTraffic.bodyBytesMean) B; by rows a batch \(bySize); "
                    + "against rows encoded beforehand \(ratio(single[1].commit, single[1].encoded)), a heap without index "
                    + ratio(single[1].commit, single[1].heap)),
            row(
                "append, \(AppendLab.connections) connections", beside,
                "1 connection behind a checkpoint in each turn \(ratio(fresh.commit, fresh.copy)); "
                    + "WAL a row \(walBytes.commit) B, COPY \(walBytes.copy) B"),
        ]
    }

    private static func ratio(_ figure: Double, _ ceiling: Double) -> String { String(format: "%.2f", ceiling > 0 ? figure / ceiling : 0) }

    private static func row(_ name: String, _ rates: AppendLab.Rates, _ note: String) -> BenchRow {
        BenchRow(
            name: name, figure: rates.commit, unit: "rows/s", ceiling: rates.copy, ceilingName: "binary COPY, same partitions and index",
            bar: .ratio(atLeast: 0.5), note: "\(batchRows) rows a batch; " + note)
    }
}
