import Broker
import Events
import Ledger

/// The publisher of one worker, from the log to runs' outlet streams: how much a second, how late at a steady 1,000 events a second, and how soon a few runs
/// among very many.
///
/// Ceiling of the first: the same events, in memory, into the same streams in batches of the same size by as many tasks, without log and cursors.
enum PublishBench: BenchPart {
    static let name = "publish"

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let rate = try await SinkLab.run(context) { lab in try await Self.rate(PublishLab(lab), context) }
        let lag = try await SinkLab.run(context) { lab in try await Self.lag(PublishLab(lab), context) }
        let backlog = try await SinkLab.run(context) { lab in try await Self.backlog(PublishLab(lab), context) }
        context.progress.finish()
        return [rate, lag, backlog]
    }

    private static func rate(_ lab: PublishLab, _ context: BenchContext) async throws -> BenchRow {
        let (runs, events, turns) = context.isFull ? (32, 10_000, 5) : (16, 4_000, 3)
        let ids = try PublishLab.ids("bench", runs)
        try await lab.sinks.append(runs: runs, events: events, keys: 1000, sinks: [PublishLab.sink])
        var rates: (publisher: [Double], bare: [Double]) = ([], [])
        for turn in 0...turns {
            context.progress.show("publish", turn, turns + 1, note: "from the log")
            try await lab.forgetOutlets()
            let seconds = try await lab.publishing { try await lab.untilPublished() }
            try await lab.forgetOutlets()
            let bare = try await lab.bareSeconds(ids, events: events)
            // The first warms Postgres.
            guard turn > 0 else { continue }
            rates.publisher.append(Double(runs * events) / seconds)
            rates.bare.append(Double(runs * events) / bare)
        }
        return BenchRow(
            name: "publish from log to outlets", figure: Percentiles(rates.publisher).at(0.5), unit: "events/s",
            ceiling: Percentiles(rates.bare).at(0.5), ceilingName: "the same XADDs from memory, in transactions of 500", bar: .atLeast(30_000),
            note: "\(runs) runs of \(events) events, bodies of 200 B; one worker's publisher as configured by default")
    }

    private static func lag(_ lab: PublishLab, _ context: BenchContext) async throws -> BenchRow {
        let seconds = context.isFull ? 30 : 6
        let runs = try PublishLab.ids("steady", 64)
        for run in runs { _ = try await lab.sinks.ledger.createRun(run, kind: "bench", sinks: [PublishLab.sink]) }
        var lags: [Double] = []
        _ = try await lab.publishing {
            context.progress.show("publish", 0, 1, note: "1,000 events/s for \(seconds) s")
            async let appended: Void = lab.append(to: runs, perSecond: 1000, for: .seconds(seconds))
            lags = try await lab.follow(runs, events: seconds * 1000)
            try await appended
        }
        let percentiles = Percentiles(lags)
        return BenchRow(
            name: "from log to a reader of the outlet at 1,000 events/s, p95", figure: percentiles.at(0.95), unit: "ms", ceiling: nil,
            ceilingName: nil,
            bar: .atMost(50),
            note: """
                \(percentiles.count) events to \(runs.count) runs, one append each; from the log's time of the event to its coming at a blocking read of \
                all outlets; p50 \(BenchTable.number(percentiles.at(0.5))), p99 \(BenchTable.number(percentiles.at(0.99))), most \
                \(BenchTable.number(percentiles.max))
                """)
    }

    private static func backlog(_ lab: PublishLab, _ context: BenchContext) async throws -> BenchRow {
        let (others, waiting, turns) = (100_000, 10, context.isFull ? 20 : 5)
        context.progress.show("publish", 0, turns, note: "\(others) runs are made")
        try await lab.makePublishedRuns(others)
        let runs = try PublishLab.ids("waiting", waiting)
        for run in runs { _ = try await lab.sinks.ledger.createRun(run, kind: "bench", sinks: [PublishLab.sink]) }
        var times: [Double] = []
        _ = try await lab.publishing {
            for turn in 1...turns {
                context.progress.show("publish", turn, turns, note: "10 of \(others) runs")
                times.append(try await lab.appendAndWait(runs, events: 100, turn: turn) * 1000)
            }
        }
        let percentiles = Percentiles(times)
        return BenchRow(
            name: "10 of 100,000 runs have events: until those are published, slowest", figure: percentiles.max, unit: "ms", ceiling: nil,
            ceilingName: nil, bar: .atMost(300),
            note: """
                \(turns) turns of 100 events to each of \(waiting) runs, from before the appends to the cursors' moves; median \
                \(BenchTable.number(percentiles.at(0.5))); the other runs are published, half of them ended
                """)
    }
}
