/// What a tracked repository makes of messages while it waits for a snapshot, and of the snapshots themselves.
extension RepositoryChain {
    /// Why a snapshot is wanted. The texts are stored and shown.
    public enum Want: Hashable, Sendable {
        /// Something of it was seen, and nothing is known.
        case unknown
        case broken(Break)
        /// Its host had said that there is nothing to be had, and now a commit came.
        case returned
        /// There was no room to hold all that came meanwhile: a later snapshot has to bring it.
        case overflow
        /// It was left out, and is wanted again.
        case added

        public var text: String {
            switch self {
            case .unknown: "unknown"
            case .broken(let broken): broken.rawValue
            case .returned: "returned"
            case .overflow: "overflow"
            case .added: "added"
            }
        }
    }

    /// A snapshot as its opening entry tells of it.
    public struct Snapshot: Hashable, Sendable {
        public var rev: String
        /// The tree's root, binary CID.
        public var data: [UInt8]
        /// The account's own host stands by an older revision than the stored one.
        public var isFork: Bool

        public init(rev: String, data: [UInt8], isFork: Bool) {
            self.rev = rev
            self.data = data
            self.isFork = isFork
        }
    }

    /// What becomes of a snapshot that begins.
    public enum Opening: Hashable, Sendable {
        /// Compare it with what was delivered.
        case apply
        /// It is older than what was delivered: another host may have a newer one.
        case stale
        /// The account is not active, or out of scope: nothing is to be delivered.
        case unwanted
    }

    /// Nothing of it was delivered, and nothing is known to be on its way.
    public var isUnknown: Bool { rev.isEmpty && status == .active }

    /// Its commits are held until a snapshot was applied.
    public var waitsForSnapshot: Bool {
        switch status {
        case .pending, .backfilling, .resyncing: true
        case .desynchronized: isTracked
        case .active, .inactive, .deleted, .removed: false
        }
    }

    /// The host's own answer made it inactive, not an account event.
    private var isAbsent: Bool { (status == .inactive || status == .deleted) && reason.hasPrefix(Self.absentPrefix) }

    private static let absentPrefix = "host_"

    /// A snapshot begins.
    public mutating func open(_ snapshot: Snapshot) -> Opening {
        switch status {
        case .removed: return .unwanted
        // What a host said before is outdated by what it gives now.
        case .inactive, .deleted: guard isAbsent else { return .unwanted }
        case .active, .desynchronized, .pending, .backfilling, .resyncing: break
        }
        if snapshot.rev < rev, !snapshot.isFork { return .stale }
        if isAbsent { reason = Want.returned.text }
        status = rev.isEmpty ? .backfilling : .resyncing
        return .apply
    }

    /// A snapshot was applied to its end: what was delivered is this revision.
    public mutating func close(_ snapshot: Snapshot) {
        rev = snapshot.rev
        data = snapshot.data
        (status, reason) = (.active, "")
    }

    /// A snapshot broke off: it waits for another one, as before.
    public mutating func breakOff() {
        switch status {
        case .backfilling: status = .pending
        case .resyncing: status = .desynchronized
        case .active, .desynchronized, .inactive, .deleted, .pending, .removed: break
        }
    }

    /// Its host says for good that there is nothing to be had. False where that is no news.
    ///
    /// - Parameter why: takendown, suspended, deactivated, deleted or notFound.
    public mutating func absent(_ why: String) -> Bool {
        guard waitsForSnapshot || isUnknown else { return false }
        let isGone = why == "deleted" || why == "notFound"
        (status, reason) = (isGone ? .deleted : .inactive, Self.absentPrefix + why)
        return true
    }

    /// It left the scope. False where it had left before.
    public mutating func remove() -> Bool {
        guard status != .removed else { return false }
        (rev, data, status, reason) = ("", [], .removed, "")
        return true
    }

    /// It is wanted again. False where it had not left.
    public mutating func add() -> Bool {
        guard status == .removed else { return false }
        (status, reason) = (.pending, Want.added.text)
        return true
    }

    /// A commit, where what it means is decided without its place in the chain; nil where that decides.
    mutating func waiting(_ commit: Commit) -> Verdict? {
        if status == .removed { return .ignore }
        if isAbsent {
            guard commit.rev > rev else { return .duplicate }
            (status, reason) = (rev.isEmpty ? .pending : .desynchronized, Want.returned.text)
            return .wait(wanted: .returned)
        }
        if isUnknown {
            (status, reason) = (.pending, Want.unknown.text)
            return .wait(wanted: .unknown)
        }
        guard waitsForSnapshot else { return nil }
        return commit.rev > rev ? .wait(wanted: nil) : .duplicate
    }

    /// A `#sync`: a snapshot that is under way may have begun before it.
    mutating func waiting(syncedTo newRev: String) -> Verdict? {
        if status == .removed { return .ignore }
        if isUnknown {
            (status, reason) = (.pending, Want.unknown.text)
            return .wait(wanted: .unknown)
        }
        return waitsForSnapshot ? .wait(wanted: .broken(.sync)) : nil
    }
}
