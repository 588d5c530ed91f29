internal import ATProto
internal import Broker
internal import Events
internal import Flow
internal import Hosts
internal import Ledger
internal import Logging
internal import NIOCore

/// One attempt at one repository: whom to ask and what answers mean is `FetchPlan`'s to decide.
struct FetchAttempt {
    private let parts: FetchParts
    private let job: ClaimedJob
    private var identity: StoredIdentity?
    private var archive: RepositoryArchive?
    private var bytes = 0
    private var host = ""

    init(_ parts: FetchParts, _ job: ClaimedJob) {
        self.parts = parts
        self.job = job
    }

    /// Runs to the end of the attempt and stores what came of it.
    ///
    /// - Throws: where Redis, Postgres or the spool's disk fail: the job stays with this fetcher until somebody takes it over.
    mutating func run() async throws {
        let known = try await parts.identities.known(job.did)
        identity = known.identity
        var plan = FetchPlan(
            ownHost: Self.name(known.identity?.host), isFresh: known.isFresh, fallbacks: parts.configuration.fallbackHosts.map(\.description),
            storedRev: job.storedRev ?? "", failures: job.failures, failuresMax: parts.configuration.failuresMax)
        var step = plan.begin()
        while true {
            switch step {
            case .ask(let host):
                self.host = host.name
                step = plan.answered(try await ask(host))
            case .refresh: step = plan.refreshed(try await refresh())
            case .verify: step = plan.answered(verified())
            case .write(let isFork): return try await write(isFork: isFork)
            case .absent(let final): return try await absent(final)
            case .wait(let wait): return try await putBack(wait)
            case .giveUp(let error):
                return try await parts.ledger.buryJob(job.did, error: error, attempts: job.failures + 1)
            }
        }
    }

    // MARK: Asking

    private static func name(_ host: String?) -> String? {
        guard let host, !host.isEmpty else { return nil }
        // Whoever writes an address that is none has no host: the plan says so.
        return (try? HostEndpoint(host))?.description ?? host
    }

    /// All whose own host fails ask the same few fallbacks: who waited there as long would keep jobs of sound hosts from being taken.
    private static let fallbackPatience = Duration.seconds(1)

    private mutating func ask(_ host: FetchPlan.Host) async throws -> FetchPlan.Answer {
        let endpoint: HostEndpoint
        do { endpoint = try HostEndpoint(host.name) } catch { return .useless("\(host.name): \(error)") }
        switch await parts.turns.turn(at: endpoint.authority, atMost: host.isOwn ? nil : Self.fallbackPatience) {
        case .go(let permit): return try await ask(endpoint, permit)
        case .parked(let until, let isAsked): return .parked(max(.zero, until - parts.clock.monotonic()), isAsked: isAsked)
        case .crowded:
            try Task.checkCancellation()
            return .crowded
        }
    }

    private mutating func ask(_ endpoint: HostEndpoint, _ permit: HostBudget.Permit) async throws -> FetchPlan.Answer {
        let spool = ArchiveSpool(
            ArchiveSpool.Configuration(folder: parts.configuration.spoolFolder, bytesMax: parts.configuration.repositoryBytesMax))
        do throws(TransferError<SpoolError>) {
            let seams = parts.seams
            bytes = try await parts.hosts.getRepo(job.did, at: endpoint) { chunk throws(SpoolError) in
                try await spool.push(chunk)
                seams.reached(.fetchMidArchive)
            }
        } catch {
            switch error {
            case .host(let failure): return try await answer(failure, endpoint, permit)
            case .consumer(let failure):
                await parts.turns.abandoned(permit)
                return try Self.answer(failure)
            }
        }
        if await parts.turns.succeeded(permit) { try await parts.ledger.unparkHost(endpoint.authority) }
        do throws(SpoolError) {
            archive = try await spool.finish()
        } catch {
            return try Self.answer(error)
        }
        return verified()
    }

    private func answer(_ failure: HostError, _ endpoint: HostEndpoint, _ permit: HostBudget.Permit) async throws -> FetchPlan.Answer {
        if failure.code == .cancelled {
            await parts.turns.abandoned(permit)
            throw CancellationError()
        }
        if failure.advice.isHostsFailure {
            let isAsked = failure.code == .rateLimited
            let left = await parts.turns.failed(permit, retryAfter: failure.retryAfter, isAsked: isAsked)
            if left > .zero { try await parts.ledger.parkHost(endpoint.authority, for: left, reason: failure.message) }
            return isAsked ? .parked(left, isAsked: true) : .unavailable(failure.message)
        }
        if await parts.turns.succeeded(permit) { try await parts.ledger.unparkHost(endpoint.authority) }
        switch failure.code {
        case .notFound: return .final(.notFound)
        case .takendown: return .final(.takendown)
        case .suspended: return .final(.suspended)
        case .deactivated: return .final(.deactivated)
        case .tooLarge: return .tooLarge(failure.message)
        default: return .useless(failure.message)
        }
    }

    /// What an archive that could not be taken in says of its host; a fault of this machine is thrown.
    private static func answer(_ failure: SpoolError) throws -> FetchPlan.Answer {
        switch failure {
        case .archive(let error): return .useless("gives an archive that is not sound: \(error)")
        case .tooLarge: return .tooLarge("gives \(failure)")
        case .diskFull, .storage, .cancelled, .ended: throw failure
        }
    }

    private func verified() -> FetchPlan.Answer {
        guard let archive else { return .useless("gave nothing") }
        guard archive.commit.did == job.did else { return .useless("gives the repository of another account") }
        guard let rev = TID(archive.commit.rev) else { return .useless("gives a revision that is no TID") }
        guard rev.time.microseconds <= parts.clock.wall().microseconds + Limits.revAheadMicroseconds else {
            return .useless("gives a revision from the future")
        }
        guard let key = identity.flatMap({ try? VerificationKey(didKey: $0.signingKey) }), archive.isSigned(by: key) else { return .badSignature }
        return .snapshot(rev: archive.commit.rev)
    }

    private mutating func refresh() async throws -> FetchPlan.Refreshed {
        let before = identity?.signingKey
        switch try await parts.identities.refresh(job.did) {
        case .found(let fetched):
            identity = fetched
            return .known(ownHost: Self.name(fetched.host), isKeyNew: fetched.signingKey != before)
        case .absent: return .gone
        case .failed(let reason): return .failed(reason)
        }
    }

    // MARK: Ends

    private func write(isFork: Bool) async throws {
        guard let archive else { return }
        let writer = SnapshotWriter(
            streams: parts.snapshots, gate: parts.gate, tracking: parts.tracking, seams: parts.seams, job: job, host: Self.authority(host),
            isFork: isFork)
        let written: SnapshotWriter.Written
        do {
            written = try await writer.write(archive)
        } catch let failure as SpoolError {
            guard case .archive(let error) = failure else { throw failure }
            // Its tree does not hold: another host may have a sound one, with the next attempt.
            return try await putBack(
                FetchPlan.Wait(host: host, error: "\(host) gives an archive that is not sound: \(error)", atLeast: .zero, isFailure: true))
        }
        parts.metrics.fetched(records: written.records, bytes: bytes, bad: written.bad)
        parts.seams.reached(.fetchAfterClose)
        try await parts.gathered.streamed(job, host: Self.authority(host), records: written.records, bytes: Int64(bytes))
    }

    private func absent(_ final: FetchPlan.Final) async throws {
        let entry = SnapshotEntry(
            did: job.did, attempt: job.attempt, n: 0, kind: .absent, host: Self.authority(host), reason: final.rawValue)
        try await parts.snapshots.append([entry])
        try await parts.gathered.streamed(job, host: Self.authority(host), records: 0, bytes: 0)
    }

    private func putBack(_ wait: FetchPlan.Wait) async throws {
        var delay = wait.atLeast
        if wait.isFailure {
            // 2 s, doubled with each failure, at most an hour; half of it by chance.
            let backoff = Duration.seconds(min(3_600, 2 << min(job.failures, 11))) * Double.random(in: 0.5...1)
            delay = max(delay, backoff)
            parts.metrics.failed()
            parts.logger.info("a repository was not fetched", metadata: ["did": "\(job.did)", "error": "\(wait.error)"])
        }
        try await parts.ledger.returnJob(
            job, host: Self.authority(wait.host), error: wait.error, retryAfter: delay, isFailure: wait.isFailure)
    }

    private static func authority(_ name: String) -> String { (try? HostEndpoint(name))?.authority ?? name }
}
