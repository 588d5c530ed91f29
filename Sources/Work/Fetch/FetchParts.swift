internal import Broker
internal import CoreMetrics
internal import Events
internal import Hosts
internal import Ledger
internal import Logging
internal import Metrics

/// What all attempts of a process share.
struct FetchParts: Sendable {
    var configuration: FetchConfiguration
    var ledger: Ledger
    var gathered: FetchLedger
    var snapshots: SnapshotStreams
    var gate: SnapshotGate
    var turns: HostTurns
    var hosts: HostClient
    var identities: FetchIdentities
    var tracking: TrackingConfiguration
    var metrics = FetchMetrics()
    var seams: FaultSeams
    var clock: WorkClock
    var logger: Logger
}

/// What fetches count.
struct FetchMetrics: Sendable {
    private let repositories = Counter(label: "weir_repositories_fetched_total")
    private let failures = Counter(label: "weir_fetch_failures_total")
    private let records = Counter(label: "weir_fetched_records_total")
    private let bytes = Counter(label: "weir_fetched_bytes_total")
    private let badRecords = Counter(label: "weir_refused_total", dimensions: [("reason", "badRecord")])

    func fetched(records: Int64, bytes: Int, bad: Int) {
        repositories.increment()
        self.records.increment(by: records)
        self.bytes.increment(by: bytes)
        if bad > 0 { badRecords.increment(by: bad) }
    }

    func failed() { failures.increment() }
}
