public import Events

/// One repository as it was delivered, and what each next message of its DID means for it.
///
/// Per DID, serially, after signature and structure were checked. A commit is delivered once, in the order of revs, across relays that
/// bring it at different times: not above the stored rev is a repeat; one whose predecessor is missing is held until another relay
/// brings that, or until its deadline passes. What a break means then depends on ``isTracked``: a repository that is only followed goes on, with its
/// break told; a tracked one waits for a snapshot, and its commits wait with it. Source: Sync 1.1, ATPROTO.
public struct RepositoryChain: Hashable, Sendable {
    /// Stored and shown. An active one without a rev is unknown: nothing of it was delivered.
    public enum Status: String, Hashable, Sendable, CaseIterable {
        case active
        /// The chain broke. Tracked: it waits for a snapshot; else live commits go on.
        case desynchronized
        /// The account is not hosted; ``RepositoryChain/reason`` says why.
        case inactive
        /// The account is gone.
        case deleted
        /// Tracked, and nothing of it was delivered: it waits for its first snapshot.
        case pending
        /// Its first snapshot is being applied.
        case backfilling
        /// A snapshot is being applied to what was delivered before.
        case resyncing
        /// It left the scope: nothing of it is delivered until it is wanted again.
        case removed
    }

    /// What a signed commit says of its place in the chain.
    public struct Commit: Hashable, Sendable {
        public var rev: String
        /// The rev in front of it; nil at a repository's first.
        public var since: String?
        /// The MST root in front of it, binary CID; nil from hosts that do not send it yet.
        public var prevData: [UInt8]?
        /// The MST root of it, binary CID.
        public var data: [UInt8]

        public init(rev: String, since: String?, prevData: [UInt8]?, data: [UInt8]) {
            self.rev = rev
            self.since = since
            self.prevData = prevData
            self.data = data
        }
    }

    /// Why a chain is broken. The raw values are stored and shown.
    public enum Break: String, Hashable, Sendable, CaseIterable {
        /// The commit in front of it did not come in time.
        case missingPredecessor = "missing_predecessor"
        /// It follows an older rev than the stored one, none, or itself: the repository was set back.
        case fork
        /// The root that it says to follow is not the stored one.
        case root
        /// A `#sync` declared another state.
        case sync
        /// The account was inactive meanwhile.
        case reactivated
    }

    public enum Verdict: Hashable, Sendable {
        /// Deliver it. With a break: tell that first, and mark what is delivered.
        case apply(broken: Break?)
        /// The account is inactive: the chain goes on, nothing is delivered.
        case withhold
        case duplicate
        /// Keep it until the commit with this rev came, or the deadline passed.
        case hold(missing: String)
        /// Tracked: a snapshot comes first. `wanted`: why one is wanted, where that was found just now.
        case wait(wanted: Want?)
        /// Out of scope.
        case ignore
    }

    /// Empty until a commit or sync was seen.
    public internal(set) var rev: String
    /// The MST root of ``rev``, binary CID; empty where unknown.
    public internal(set) var data: [UInt8]
    public internal(set) var status: Status
    /// What the account event said (`takendown` …), or the ``Break``; else empty.
    public internal(set) var reason: String
    public private(set) var identityTime: WallTime?
    public private(set) var accountTime: WallTime?
    /// Whether snapshots are fetched of it, so that what was delivered can be compared with what it holds.
    public let isTracked: Bool

    public init(
        rev: String = "", data: [UInt8] = [], status: Status = .active, reason: String = "", identityTime: WallTime? = nil,
        accountTime: WallTime? = nil, isTracked: Bool = false
    ) {
        self.isTracked = isTracked
        self.rev = rev
        self.data = data
        self.status = status
        self.reason = reason
        self.identityTime = identityTime
        self.accountTime = accountTime
    }

    /// Takes a commit.
    ///
    /// - Parameter overdue: it was held up to its deadline, or there is no room to hold it: it is delivered although something is missing.
    public mutating func commit(_ commit: Commit, overdue: Bool = false) -> Verdict {
        if isTracked, let verdict = waiting(commit) { return verdict }
        guard !rev.isEmpty else { return advance(to: commit, broken: nil) }
        guard commit.rev > rev else { return .duplicate }
        guard let since = commit.since else {
            // A first commit after others: the repository began anew. Some hosts never say what a commit follows, but its root proves it.
            let follows = commit.prevData != nil && commit.prevData == data
            return advance(to: commit, broken: follows ? nil : .fork)
        }
        if since > rev, since < commit.rev {
            return overdue ? advance(to: commit, broken: .missingPredecessor) : .hold(missing: since)
        }
        if since != rev { return advance(to: commit, broken: .fork) }
        if let prevData = commit.prevData, !data.isEmpty, prevData != data { return advance(to: commit, broken: .root) }
        return advance(to: commit, broken: nil)
    }

    /// Takes a `#sync`: `apply(broken: .sync)` where it declares another state, `apply(broken: nil)` where only the rev moved.
    public mutating func sync(rev newRev: String, data newData: [UInt8]) -> Verdict {
        if !rev.isEmpty, newRev < rev || (newRev == rev && newData == data) { return .duplicate }
        if isTracked, let verdict = waiting(syncedTo: newRev) { return verdict }
        let isSame = rev.isEmpty || data == newData
        return advance(to: Commit(rev: newRev, since: nil, prevData: nil, data: newData), broken: isSame ? nil : .sync)
    }

    /// Takes an `#identity`; false where it is not newer than the last one: drop it.
    public mutating func identity(time: WallTime) -> Bool {
        if let identityTime, time <= identityTime { return false }
        identityTime = time
        return true
    }

    /// Takes an `#account`; false where it is not newer than the last one: drop it.
    ///
    /// An account that comes back may have missed commits: it is then desynchronized, and a tracked one ``waitsForSnapshot``.
    public mutating func account(active: Bool, status newStatus: String, time: WallTime) -> Bool {
        if let accountTime, time <= accountTime { return false }
        accountTime = time
        switch (active, status) {
        case (_, .removed): break
        case (true, .inactive), (true, .deleted):
            if !rev.isEmpty {
                (status, reason) = (.desynchronized, Break.reactivated.rawValue)
            } else if isTracked {
                (status, reason) = (.pending, Break.reactivated.rawValue)
            } else {
                // Nothing was delivered of it yet: nothing can be missing.
                (status, reason) = (.active, "")
            }
        case (true, _): break
        case (false, _): (status, reason) = (newStatus == "deleted" ? .deleted : .inactive, newStatus)
        }
        return true
    }

    private mutating func advance(to commit: Commit, broken: Break?) -> Verdict {
        if isTracked, let broken, status == .active {
            // What was delivered stays what it is until a snapshot says how to go on.
            (status, reason) = (.desynchronized, broken.rawValue)
            return .wait(wanted: .broken(broken))
        }
        rev = commit.rev
        data = commit.data
        switch status {
        case .inactive, .deleted, .removed: return .withhold
        case .active, .desynchronized, .pending, .backfilling, .resyncing:
            if let broken { (status, reason) = (.desynchronized, broken.rawValue) }
            return .apply(broken: broken)
        }
    }
}
