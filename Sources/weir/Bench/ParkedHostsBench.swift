import Events
import Fleet
import Foundation
import PostgresClient

/// What a worker needs while a thousand repository hosts do not answer, and it leaves each of them alone for a while.
struct ParkedHostsBench: BenchPart {
    static let name = "parked-hosts"

    private static let hosts = 1_000
    private static let megabytesMax = 200.0

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let (memory, failures) = try await BenchLab.run(context) { servers in try await measure(servers, context) }
        return [
            BenchRow(
                name: "resident memory of a worker while 1,000 hosts are parked", figure: memory, unit: "MB", ceiling: nil, ceilingName: nil,
                bar: .atMost(megabytesMax),
                note: "the whole process, the kernel's own peak; each host refuses connections, \(failures) attempts failed by then")
        ]
    }

    /// Four characters.
    private static func base32(_ number: Int) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz234567")
        return String((0..<4).map { letters[number >> (5 * $0) & 31] })
    }

    private static func measure(_ servers: BenchLab.Servers, _ context: BenchContext) async throws -> (megabytes: Double, failures: Int64) {
        let file = "\(servers.folder)/wanted.txt"
        let dids = (0..<hosts).map { "did:plc:" + String(repeating: "a", count: 20) + base32($0) }
        try dids.map { $0 + "\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
        let closed = try BenchLab.freePorts(1)
        var configuration = servers.configuration
        for (key, value) in [
            ("plc.url", "http://127.0.0.1:\(closed)"), ("relay.hosts", "ws://127.0.0.1:\(closed)"), ("operations.bind", "127.0.0.1:0"),
            ("repos.scope", "chosen"), ("repos.file", file), ("allow_private_hosts", "true"),
        ] { try configuration.set(key, to: value, by: "weir bench") }
        let connection = try await PostgresConnection.connect(
            try PostgresConfiguration(url: configuration.postgresURL ?? "", applicationName: "weir bench"))
        let schema = configuration.postgresSchema
        _ = try await connection.query(
            """
            INSERT INTO \(schema).identities (did, status, signing_key, host, handle, fetched_at)
            SELECT did, 'found', '', 'http://127.1.' || no / 250 || '.' || no % 250 + 1 || ':' || $2, '', now()
            FROM unnest($1::text[]) WITH ORDINALITY AS d (did, no)
            """, [.texts(dids), .text("\(closed)")])
        return try await FleetProcesses.run(configuration, folder: servers.folder) { processes in
            var worker = RoleMemory(role: "worker", process: try await processes.start(["worker"]))
            _ = try await processes.start(["ingest", "backfill"])
            let deadline = ContinuousClock.now + .seconds(300)
            while ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(200))
                try worker.sample(keeps: false)
                let row = try await connection.query(
                    "SELECT count(*) FILTER (WHERE until > now()), coalesce(sum(failures), 0)::bigint FROM \(schema).parked_hosts")[0]
                let parked = Int(try row.value(0, as: Int64.self))
                context.progress.show("hosts that are left alone", parked, hosts)
                if parked >= hosts { return (worker.peak, try row.value(1)) }
            }
            throw Failure("not all hosts were parked within five minutes\n\(processes.logTail)")
        }
    }
}
