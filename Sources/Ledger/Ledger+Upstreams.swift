public import Events
internal import PostgresClient

/// An upstream that this process owns.
public struct UpstreamLease: Hashable, Sendable {
    public var upstream: UpstreamName
    public var token: FencingToken
    public init(upstream: UpstreamName, token: FencingToken) {
        self.upstream = upstream
        self.token = token
    }
}

/// What a renewal tells an owner.
public struct UpstreamLeaseStatus: Hashable, Sendable {
    public var lease: UpstreamLease
    /// A worker found a hole in this session and asks for a new one from the committed watermark.
    public var rewindOf: Int64?
}

/// The highest numbers that were given out for an upstream. What names a higher one was written by no ingester.
public struct IssuedNumbers: Hashable, Sendable {
    public var session: Int64
    public var epoch: Int32

    public init(session: Int64, epoch: Int32) {
        self.session = session
        self.epoch = epoch
    }
}

/// From where an upstream goes on.
public enum ResumePosition: Hashable, Sendable {
    /// Never read before: the configuration says where to start.
    case none
    case at(Position)
}

extension Ledger {
    /// Whether any upstream of a kind was ever read.
    public func hasUpstream(_ kind: UpstreamName.Kind) async throws(LedgerError) -> Bool {
        try await mapped("upstreams of kind \(kind.rawValue)") {
            try await pool.query(LeaseSQL.anyUpstream, [.text(kind.rawValue)]).first?.value("is_there") ?? false
        }
    }

    /// Takes the lease of an upstream where it is free or expired (token + 1); nil where another owner's is fresh. Creates the row at the first call.
    public func acquireUpstream(_ upstream: UpstreamName, worker: WorkerID, ttl: Duration) async throws(LedgerError) -> UpstreamLease? {
        let name: [PostgresParameter] = [.text(upstream.kind.rawValue), .text(upstream.host)]
        let owner = PostgresParameter.text(worker.description)
        let take = PostgresStatement(LeaseSQL.acquireUpstream, name + [owner, .int64(ttl.milliseconds)])
        return try await mapped("acquire \(upstream)") {
            try await pool.withConnection { connection in
                // Not in one transaction with the rest: a row that another process just made must be seen.
                _ = try await connection.query(LeaseSQL.createUpstream, name)
                var rows = try await connection.query(take.sql, take.parameters)
                if rows.isEmpty {
                    let stuck = try await connection.query(LeaseSQL.stuckUpstream, name + [owner])
                    guard !stuck.isEmpty else { return nil }
                    try await Self.endBackends(of: stuck, on: connection)
                    rows = try await connection.query(take.sql, take.parameters)
                }
                return try rows.first.map { UpstreamLease(upstream: upstream, token: FencingToken(try $0.value("token"))) }
            }
        }
    }

    /// Renews all upstream leases of this process in one statement; those whose token changed are missing from the result.
    public func renewUpstreams(_ leases: [UpstreamLease], worker: WorkerID, ttl: Duration) async throws(LedgerError) -> [UpstreamLeaseStatus] {
        guard !leases.isEmpty else { return [] }
        return try await mapped("renew upstreams") {
            let rows = try await pool.query(
                LeaseSQL.renewUpstreams,
                [
                    .text(worker.description), .texts(leases.map(\.upstream.kind.rawValue)), .texts(leases.map(\.upstream.host)),
                    .int64s(leases.map(\.token.value)), .int64(ttl.milliseconds),
                ])
            return try rows.map { row in
                UpstreamLeaseStatus(
                    lease: UpstreamLease(upstream: try row.upstream(), token: FencingToken(try row.value("token"))),
                    rewindOf: try row.optional("rewind"))
            }
        }
    }

    /// Gives the upstream back, where the token still matches.
    public func releaseUpstream(_ lease: UpstreamLease) async throws(LedgerError) {
        try await mapped("release \(lease.upstream)") { _ = try await pool.query(LeaseSQL.releaseUpstream, lease.fence) }
    }

    /// The committed watermark: the minimum over all shards of watermark(upstream, shard), a shard without one counting as the upstream's baseline.
    public func resumePosition(_ upstream: UpstreamName) async throws(LedgerError) -> ResumePosition {
        try await mapped("resume \(upstream)") {
            let rows = try await pool.query(LeaseSQL.resumePosition, [.text(upstream.kind.rawValue), .text(upstream.host)])
            guard let position = try rows.first?.position("epoch", "seq") else { return ResumePosition.none }
            return .at(position)
        }
    }

    /// Nil where the upstream never had a session. A session is numbered before its first entry is appended, so whoever has read an entry
    /// and asks then finds its numbers, or none that are as high.
    public func issuedNumbers(_ upstream: UpstreamName) async throws(LedgerError) -> IssuedNumbers? {
        try await mapped("numbers of \(upstream)") {
            let rows = try await pool.query(LeaseSQL.issuedNumbers, [.text(upstream.kind.rawValue), .text(upstream.host)])
            return try rows.first.map { IssuedNumbers(session: try $0.value("session"), epoch: try $0.value("epoch")) }
        }
    }

    /// Numbers a new session, fenced, before its first append, and stores from where it starts.
    ///
    /// The first session of an upstream stores `from` as its baseline, so that a crash before any watermark loses nothing. A `from` of a higher epoch
    /// than before is the new numbering's baseline. Any rewind that named an earlier session is settled by this.
    /// - Parameter endpoint: the address that it is read from, for ``endpoint(of:)``; empty: not told.
    public func openSession(
        _ lease: UpstreamLease, from: Position, gap: UpstreamEntry.Gap?, endpoint: String = ""
    ) async throws(LedgerError) -> Int64 {
        let place = "open a session of \(lease.upstream)"
        return try await mapped(place) {
            let rows = try await pool.query(
                LeaseSQL.openSession,
                lease.fence + [
                    .int32(from.epoch), .int64(from.seq), .int32(gap?.after.epoch), .int64(gap?.after.seq), .int32(gap?.through.epoch),
                    .int64(gap?.through.seq), .text(endpoint.storable),
                ])
            guard let row = rows.first else { throw LedgerError.fenced(place) }
            return try row.value("session")
        }
    }

    /// The address that the upstream's last session was read from; nil where there was none, or it was not told. An upstream whose name is no address may
    /// move, and numbers at another address are other numbers.
    public func endpoint(of upstream: UpstreamName) async throws(LedgerError) -> String? {
        try await mapped("endpoint of \(upstream)") {
            let rows = try await pool.query(LeaseSQL.upstreamEndpoint, [.text(upstream.kind.rawValue), .text(upstream.host)])
            return try rows.first?.optional("endpoint")
        }
    }

    /// Notes how a session ended (reason, last position), fenced; for `weir status` and post-mortems.
    public func closeSession(_ lease: UpstreamLease, session: Int64, reason: String, last: Position) async throws(LedgerError) {
        let place = "close session \(session) of \(lease.upstream)"
        try await mapped(place) {
            let rows = try await pool.query(
                LeaseSQL.closeSession, lease.fence + [.int64(session), .text(reason.storable), .int32(last.epoch), .int64(last.seq)])
            guard rows.affectedRows == 1 else { throw LedgerError.fenced(place) }
        }
    }

    /// The owner's own report, fenced: state, last position read, when the last message came, counts since the session began.
    public func reportUpstream(_ lease: UpstreamLease, report: UpstreamReport) async throws(LedgerError) {
        try await mapped("report \(lease.upstream)") {
            let rows = try await pool.query(
                LeaseSQL.reportUpstream,
                lease.fence + [
                    .text(report.state.rawValue), .text(report.reason.storable), .int32(report.position?.epoch), .int64(report.position?.seq),
                    .int64(report.events), .int64(report.bytes), .timestamp(report.lastMessageAt.map { PostgresTimestamp($0) }),
                ])
            guard rows.affectedRows == 1 else { throw LedgerError.fenced("report \(lease.upstream)") }
        }
    }
}

extension UpstreamLease {
    /// The first three parameters of every fenced statement.
    fileprivate var fence: [PostgresParameter] { [.text(upstream.kind.rawValue), .text(upstream.host), .int64(token.value)] }
}

/// What an upstream's owner reports, each few seconds.
public struct UpstreamReport: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable { case connecting, streaming, paused, backingOff, stopped }
    public var state: State
    /// Why it is paused, backing off or stopped; else empty.
    public var reason: String
    public var position: Position?
    public var events: Int64
    public var bytes: Int64
    public var lastMessageAt: WallTime?
    public init(state: State, reason: String = "", position: Position? = nil, events: Int64 = 0, bytes: Int64 = 0, lastMessageAt: WallTime? = nil) {
        self.state = state
        self.reason = reason
        self.position = position
        self.events = events
        self.bytes = bytes
        self.lastMessageAt = lastMessageAt
    }
}
