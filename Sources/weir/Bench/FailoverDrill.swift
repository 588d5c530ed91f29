import Fleet
import Foundation
import Glibc

/// Kills one process after the other and times what follows. Looks at the log each 20 ms: that is how exact it is.
struct FailoverDrill: Sendable {
    struct Kill: Sendable {
        var role: String
        var seconds: Double
        var note: String
    }

    var processes: FleetProcesses
    var client: APIClient
    var feed: EventFeed
    var progress: SharedProgress

    private var api: pid_t = 0

    init(processes: FleetProcesses, client: APIClient, feed: EventFeed, progress: SharedProgress) {
        self.processes = processes
        self.client = client
        self.feed = feed
        self.progress = progress
    }

    private static let patience = Duration.seconds(40)
    private var probe: FleetProbe { FleetProbe(client: client, every: .milliseconds(20)) }

    /// The fleet with its spares.
    mutating func begin() async throws {
        api = try await RoleFleet.start(processes, client).api
        _ = try await processes.start(["ingest", "firehose"])
        _ = try await processes.start(["worker"])
        try await shareOut()
    }

    /// The upstream's owner: until something that the next owner read is in the log.
    func killIngester() async throws -> Kill {
        progress.show("kill -9", 0, 3, note: "ingester")
        let before = try await settle()
        guard let upstream = before.upstreams.first, let owner = upstream.owner else { throw Failure("the relay has no owner") }
        let killed = try Self.kill(owner: owner)
        var logged: Int64?
        try await probe.wait(upTo: Self.patience, "the relay is not read again") { status in
            let now = status.upstreams.first
            guard let session = now?.session, session != upstream.session, now?.owner != owner else { return false }
            // What the first look at the new session sees may be what the old one read.
            guard let base = logged else {
                logged = status.logged
                return false
            }
            return status.logged > base
        }
        let kill = Kill(role: "ingester", seconds: Self.seconds(since: killed), note: "one spare ingester stood by")
        _ = try await processes.start(["ingest", "firehose"])
        return kill
    }

    /// The worker with most shards: until each of its shards has a commit of its next owner.
    func killWorker() async throws -> Kill {
        progress.show("kill -9", 1, 3, note: "worker")
        let before = try await settle()
        var counts: [String: Int] = [:]
        for shard in before.shards { counts[shard.owner ?? "", default: 0] += 1 }
        guard let owner = counts.max(by: { $0.value < $1.value })?.key, !owner.isEmpty else { throw Failure("no shard has an owner") }
        let killed = try Self.kill(owner: owner)
        var waiting: Set<Int64> = Set(before.shards.filter { $0.owner == owner }.map(\.number))
        let count = waiting.count
        var bases: [Int64: Int64] = [:]
        var first: Double?
        try await probe.wait(upTo: Self.patience, "the shards of a killed worker stand still") { status in
            for shard in status.shards where waiting.contains(shard.number) {
                // Until the lease has ended it is still the killed one's, and what that one had begun may still be committed.
                guard let next = shard.owner, next != owner else {
                    bases[shard.number] = shard.lastSeq
                    continue
                }
                if shard.lastSeq > bases[shard.number] ?? .max {
                    waiting.remove(shard.number)
                    first = first ?? Self.seconds(since: killed)
                }
            }
            return waiting.isEmpty
        }
        let note = "\(count) shards, the last of them; the first after \(BenchTable.number(first ?? 0)) s; one spare worker took them over"
        let kill = Kill(role: "worker", seconds: Self.seconds(since: killed), note: note)
        _ = try await processes.start(["worker"])
        try await shareOut()
        return kill
    }

    /// The only API: until its client, which comes back by itself, has an event from the one that is started in its place.
    mutating func killAPI() async throws -> Kill {
        progress.show("kill -9", 2, 3, note: "api")
        _ = try await settle()
        let killed = try Self.kill(api)
        // What was in the client's socket already is no proof.
        while Glibc.kill(api, 0) == 0 { try await Task.sleep(for: .milliseconds(1)) }
        try await Task.sleep(for: .milliseconds(100))
        feed.mark()
        api = try await processes.start(["api"])
        let deadline = ContinuousClock.now + Self.patience
        while feed.firstAfterMark == nil {
            guard ContinuousClock.now < deadline else { throw Failure("no event arrives from the restarted API\n\(processes.logTail)") }
            try await Task.sleep(for: .milliseconds(5))
        }
        let arrived = feed.firstAfterMark ?? .now
        return Kill(
            role: "api", seconds: (arrived - killed) / .seconds(1), note: "started again 0.1 s after the kill; the client goes on from its last id")
    }

    /// Waits until everything runs, and a moment more, so that leases are young and backlogs are gone.
    private func settle() async throws -> BenchStatus {
        try await probe.wait(upTo: Self.patience, "the fleet does not come back") { $0.isStreaming && $0.isOwned }
        try await Task.sleep(for: .seconds(1))
        return try await probe.wait(upTo: Self.patience, "the fleet does not come back") { $0.isStreaming && $0.isOwned }
    }

    /// Waits until both workers have shards.
    private func shareOut() async throws {
        try await probe.wait(upTo: Self.patience, "the second worker gets no shards") { $0.isOwned && $0.shardOwners.count == 2 }
    }

    private static func kill(owner: String) throws -> ContinuousClock.Instant {
        guard let process = FleetProcesses.processID(ofOwner: owner) else { throw Failure("no process id in the name \(owner)") }
        return try kill(process)
    }

    private static func kill(_ process: pid_t) throws -> ContinuousClock.Instant {
        guard process > 1, Glibc.kill(process, SIGKILL) == 0 else { throw Failure("cannot kill process \(process)") }
        return .now
    }

    private static func seconds(since instant: ContinuousClock.Instant) -> Double { (ContinuousClock.now - instant) / .seconds(1) }
}
