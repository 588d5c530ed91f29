import ATProto

/// An account's state at one instant, cheap to take: what it is written out to is made outside of the network.
struct RepositoryHolding: Sendable {
    var did: String
    var status: AccountStatus
    var host: Int
    /// Nil of a deleted account.
    var repository: SimulatedRepository?

    var snapshot: RepositorySnapshot {
        var records: [String: String] = [:]
        for entry in repository?.entries ?? [] { records[entry.path] = "\(entry.cid)" }
        return RepositorySnapshot(
            did: did, status: status.rawValue, host: host, rev: repository?.rev, data: repository.map { "\($0.data)" }, records: records)
    }

    /// The start of its line in `/sim/repositories`, up to the first record. No value of it needs escaping.
    var lineHead: String {
        let head = repository.map { "\"rev\":\"\($0.rev)\",\"data\":\"\($0.data)\"" } ?? "\"rev\":null,\"data\":null"
        return "{\"did\":\"\(did)\",\"status\":\"\(status.rawValue)\",\"host\":\(host),\(head),\"records\":{"
    }
}
