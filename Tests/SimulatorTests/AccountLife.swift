import ATProto
import Events
import NIOHTTP1
import Testing

@testable import Simulator

/// One account of a network that does nothing else, seen from outside.
struct AccountLife: Sendable {
    struct Unexpected: Error {}

    let simulator: SimulatorHarness
    let did: String

    var service: SimulatorService { simulator.service }
    var hosts: [String] { simulator.addresses.repositoryHosts }
    var unexpected: Unexpected { Unexpected() }

    func order(_ kind: FaultKind, host: Int? = nil, count: Int = 1, depth: Int = 3) async throws {
        try await service.take(FaultOrder(kind: kind, host: host, did: did, count: count, depth: depth))
    }

    /// The messages that a relay has of the account, once there are so many.
    func messages(_ count: Int) async throws -> [StreamMessage] {
        let transcript = try await RelayTranscript.follow(simulator.addresses.relays[0], until: count)
        return try transcript.frames.map { try StreamMessage(frame: $0) }
    }

    func holding() async throws -> RepositorySnapshot { try #require(try await service.repository(of: did)) }

    func document() async throws -> DIDDocument {
        try DIDDocument(parsing: try await simulator.get("http://\(simulator.addresses.directory)/\(did)").body, did: did)
    }

    func key() async throws -> VerificationKey { try #require(try await document().signingKey) }

    func archive(at host: Int) async throws -> SimulatorHarness.Answer {
        try await simulator.get("http://\(hosts[host])/xrpc/com.atproto.sync.getRepo?did=\(did)")
    }

    /// The records of a host's archive, whose commit must be signed by the account's key.
    func walked(at host: Int) async throws -> [String: String] {
        let repository = try Repository(car: try await archive(at: host).body)
        try #require(repository.commit.isSigned(by: try await key()))
        var walk = try repository.walk()
        var records: [String: String] = [:]
        while let record = try walk.next() { records[record.path] = "\(record.cid)" }
        return records
    }

    /// The commit, checked as a consumer does that has nothing of the account yet.
    func verified(_ message: CommitMessage) async throws -> VerifiedCommit {
        guard case .sound(let structure) = CommitStructure.check(message, now: WallTime(microseconds: WallClock.microseconds + 60_000_000)),
            case .verified(let commit) = structure.verify(try await key())
        else { throw unexpected }
        return commit
    }

    func rev(_ message: StreamMessage) throws -> String {
        guard case .commit(let commit) = message else { throw unexpected }
        return commit.rev
    }

    /// Asks again and again, with others' turn in between.
    func waitUntil(_ condition: () async throws -> Bool) async throws {
        while try await !condition() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
