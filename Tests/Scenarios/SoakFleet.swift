import Foundation
import TestSupport

/// The processes of a soak: two of each role, of which one, the veteran, lives from the beginning to the end, and the other may be killed and replaced.
///
/// So a slow growth of memory has the whole run to show. Veterans are stopped, cut off and starved like all others. One that ends without having
/// been ended here fails the run: ``requireAllAlive(after:)``.
struct SoakFleet {
    struct Veterans: Sendable {
        var ingester: WeirProcess
        var worker: WeirProcess
        var api: WeirProcess

        var all: [WeirProcess] { [ingester, worker, api] }
    }

    let fleet: FleetUnderTest
    let veterans: Veterans
    /// Of the veteran API and of the one that is killed, from the beginning.
    let clients: [FirehoseClient]
    private(set) var ingester: WeirProcess
    private(set) var worker: WeirProcess
    private(set) var api: WeirProcess
    private(set) var killed = 0

    var all: [WeirProcess] { veterans.all + [worker, ingester, api] }

    /// The veteran ingester comes first and reads both relays, the other one stands by.
    static func start(_ fleet: FleetUnderTest) async throws -> SoakFleet {
        let port = try FreePort.choose()
        let veterans = Veterans(
            ingester: try await fleet.start("veteran ingester", "ingest", "firehose"), worker: try await fleet.start("veteran worker", "worker"),
            api: try await fleet.start("veteran api", ["api"], settings: ["WEIR_API_BIND": "127.0.0.1:\(port)"]))
        try await fleet.waitUntil("the veteran reads both relays") { _ in try await fleet.owned("upstreams", by: veterans.ingester) == 2 }
        return SoakFleet(
            fleet: fleet, veterans: veterans, clients: [FirehoseClient(port: port), fleet.client()],
            ingester: try await fleet.start("ingester", "ingest", "firehose"), worker: try await fleet.start("worker", "worker"),
            api: try await fleet.start("api", "api"))
    }

    private init(
        fleet: FleetUnderTest, veterans: Veterans, clients: [FirehoseClient], ingester: WeirProcess, worker: WeirProcess, api: WeirProcess
    ) {
        self.fleet = fleet
        self.veterans = veterans
        self.clients = clients
        self.ingester = ingester
        self.worker = worker
        self.api = api
    }

    func requireAllAlive(after what: String) throws {
        let ended = all.filter(\.child.hasExited).map(\.name)
        try fleet.require(ended.isEmpty, "ended without having been ended, after \(what): \(ended.joined(separator: ", "))")
    }

    /// Ends all of them in order.
    func end() async throws {
        for client in clients { client.stop() }
        for process in all { try await fleet.end(process) }
    }

    // MARK: Kills

    mutating func replaceWorker() async throws {
        try await fleet.waitUntil("\(worker.name) owns shards") { [fleet, worker] _ in try await fleet.owned("shards", by: worker) > 0 }
        killed += 1
        worker = try await fleet.killed(worker, successor: "worker after kill \(killed)", ["worker"])
    }

    /// Who dies is the one that reads. Where that is the veteran, it is stopped first until the other one reads.
    mutating func replaceIngester() async throws {
        if try await reader().name == veterans.ingester.name { try await fleet.stoppedPastLease(veterans.ingester, owning: "upstreams") }
        killed += 1
        ingester = try await fleet.killed(ingester, successor: "ingester after kill \(killed)", ["ingest", "firehose"])
    }

    mutating func replaceAPI() async throws {
        let connections = clients[1].connections
        killed += 1
        api = try await fleet.killed(api, successor: "api after kill \(killed)", ["api"])
        try await fleet.waitUntil("the client is back") { [clients] _ in clients[1].connections > connections }
    }

    /// The ingester that reads more relays just now.
    func reader() async throws -> WeirProcess {
        let owned = (try await fleet.owned("upstreams", by: veterans.ingester), try await fleet.owned("upstreams", by: ingester))
        return owned.1 > owned.0 ? ingester : veterans.ingester
    }
}
