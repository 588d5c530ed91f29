import Fleet
import Foundation
import Simulator

/// How long a fleet stands still after one of its processes is killed, under load: two ingesters, two workers, and an API that is started again.
struct FailoverBench: BenchPart {
    static let name = "failover"

    private static let secondsMax = 8.0
    private static let eventsPerSecond = 600.0

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let rounds = context.isFull ? 5 : 1
        let simulator = try await BenchNetwork.prepare(messages: context.isFull ? 90_000 : 24_000, context)
        let kills = try await BenchLab.run(context) { servers in
            let (ready, client) = try RoleFleet.configuration(
                servers, relayURL: simulator.addresses.relayURLs[0], directoryURL: simulator.addresses.directoryURL)
            return try await FleetProcesses.run(ready, folder: servers.folder) { processes in
                let drill = FailoverDrill(processes: processes, client: client, feed: EventFeed(client), progress: context.progress)
                return try await run(drill, simulator, rounds: rounds)
            }
        }
        let ttl = context.configuration.leaseTTL / .seconds(1)
        return ["ingester", "worker", "api"].compactMap { role in
            let times = kills.filter { $0.role == role }
            guard let worst = times.max(by: { $0.seconds < $1.seconds }) else { return nil }
            let all = times.map { BenchTable.number($0.seconds) }.joined(separator: ", ")
            let what = role == "api" ? "first event at a client of the restarted one" : "first commit after it"
            return BenchRow(
                name: "kill -9 of \(role): \(what)", figure: worst.seconds, unit: "s", ceiling: role == "api" ? nil : ttl,
                ceilingName: role == "api" ? nil : "lease.ttl, by which alone a dead owner is known", bar: .atMost(secondsMax),
                note: "\(worst.note); \(Int(eventsPerSecond)) messages/s\(times.count > 1 ? "; worst of \(all) s" : "")")
        }
    }

    private static func run(_ drill: FailoverDrill, _ simulator: SimulatorService, rounds: Int) async throws -> [FailoverDrill.Kill] {
        try await withThrowingTaskGroup(of: [FailoverDrill.Kill]?.self) { group in
            group.addTask {
                try await simulator.run()
                return nil
            }
            group.addTask {
                try await drill.feed.run()
                return nil
            }
            group.addTask {
                var drill = drill
                try await drill.begin()
                try await simulator.set(EventRate(eventsPerSecond: eventsPerSecond))
                var kills: [FailoverDrill.Kill] = []
                for _ in 0..<rounds {
                    kills.append(try await drill.killIngester())
                    kills.append(try await drill.killWorker())
                    kills.append(try await drill.killAPI())
                }
                return kills
            }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let kills = ended { return kills }
            }
            throw CancellationError()
        }
    }
}
