/// Which host is asked for a repository next, and what each answer means for the job.
///
/// The account's own host is asked first, then the fallbacks. Only the own host's word is final, and only once its name is known to be fresh: before
/// anything is concluded from it, or from its silence, the identity is fetched again, once an attempt, as the account may have moved. What it means when nobody gives a
/// snapshot: a host that asked to be left alone is waited for and nobody's failure; all else is a failure of the job, with a back-off, and given up
/// after so many. No I/O: the caller does each ``Step`` and tells its result.
public struct FetchPlan: Hashable, Sendable {
    public struct Host: Hashable, Sendable {
        /// As the caller knows it; equal names are the same host.
        public var name: String
        public var isOwn: Bool

        public init(name: String, isOwn: Bool) {
            self.name = name
            self.isOwn = isOwn
        }
    }

    /// The final answers of a host; the raw values are those of a snapshot entry's `reason`.
    public enum Final: String, Hashable, Sendable, CaseIterable { case takendown, suspended, deactivated, deleted, notFound }

    public enum Answer: Hashable, Sendable {
        /// Whole, and signed by the account's key.
        case snapshot(rev: String)
        /// Whole, and signed by another key.
        case badSignature
        case final(Final)
        /// It failed; it is left alone for a while by others.
        case unavailable(String)
        /// It is left alone still for so long, because it failed or because it asked for that.
        case parked(Duration, isAsked: Bool)
        /// As many as may wait for it already do.
        case crowded
        /// It does not give what can be used, and asking again will not help soon.
        case useless(String)
        /// More than is taken.
        case tooLarge(String)
    }

    public enum Refreshed: Hashable, Sendable {
        /// The identity, fetched anew.
        case known(ownHost: String?, isKeyNew: Bool)
        /// The directory says that there is none.
        case gone
        /// It could not be fetched.
        case failed(String)
    }

    public enum Step: Hashable, Sendable {
        case ask(Host)
        /// Fetch the identity again, and keep what was fetched of the repository.
        case refresh
        /// Compare what was fetched with the new key.
        case verify
        /// Write what was fetched.
        case write(isFork: Bool)
        case absent(Final)
        case wait(Wait)
        /// Nothing more is tried until somebody wants it again.
        case giveUp(String)
    }

    /// The job waits for another attempt.
    public struct Wait: Hashable, Sendable {
        /// For which host; empty where for none.
        public var host: String
        public var error: String
        public var atLeast: Duration
        /// Counts, and waits longer each time.
        public var isFailure: Bool

        public init(host: String, error: String, atLeast: Duration, isFailure: Bool) {
            self.host = host
            self.error = error
            self.atLeast = atLeast
            self.isFailure = isFailure
        }
    }

    /// How long a job waits for a place at a crowded host, or for the directory.
    public static let shortWait = Duration.seconds(5)
    public static let directoryWait = Duration.seconds(30)

    /// What waits for the identity that is being fetched.
    private enum Pending: Hashable { case final(Final), fork, badSignature, nextHost }

    /// What was delivered before anybody was asked; empty: nothing.
    private let storedRev: String
    private let failures: Int
    private let failuresMax: Int
    private var ownHost: String?
    private var fallbacks: [String]
    private var asked: [String] = []
    private var current: Host?
    private var hasRefreshed: Bool
    private var pending: Pending?
    private var errors: [String] = []
    /// How long the nearest host is left alone still; nil where none is.
    private var parked: Duration?
    private var isFailure = false
    private var isTooLarge = false

    /// - Parameters:
    ///   - ownHost: of the identity as it is known; nil where it names none.
    ///   - isFresh: whether that was fetched in this attempt.
    ///   - failures: of the job's earlier attempts; at `failuresMax` with this one it is given up.
    public init(ownHost: String?, isFresh: Bool, fallbacks: [String], storedRev: String, failures: Int, failuresMax: Int) {
        self.ownHost = ownHost
        self.fallbacks = fallbacks
        self.storedRev = storedRev
        self.failures = failures
        self.failuresMax = failuresMax
        hasRefreshed = isFresh
    }

    /// The first step.
    public mutating func begin() -> Step { ownHost == nil ? conclude(.nextHost) : nextHost() }

    /// The host that was asked answered.
    public mutating func answered(_ answer: Answer) -> Step {
        guard let host = current else { return nextHost() }
        switch answer {
        case .snapshot(let rev):
            if rev >= storedRev { return .write(isFork: false) }
            if host.isOwn { return conclude(.fork) }
            note("revision \(rev) is older than what was delivered", isFailure: true)
        case .badSignature: return conclude(.badSignature)
        case .final(let final):
            if host.isOwn { return conclude(.final(final)) }
            note("says \(final.rawValue)", isFailure: true)
        case .parked(let left, let isAsked):
            parked = min(parked ?? left, left)
            note("is left alone", isFailure: !isAsked)
            if host.isOwn, isAsked { return wait(host.name, atLeast: left, isFailure: false) }
        case .crowded:
            parked = min(parked ?? Self.shortWait, Self.shortWait)
            note("has no place free", isFailure: false)
            if host.isOwn { return wait(host.name, atLeast: Self.shortWait, isFailure: false) }
        case .unavailable(let why), .useless(let why):
            note(why, isFailure: true)
            // It may have moved from a host that is gone.
            if host.isOwn { return conclude(.nextHost) }
        case .tooLarge(let why):
            isTooLarge = isTooLarge || host.isOwn || ownHost == nil
            note(why, isFailure: true)
        }
        return nextHost()
    }

    /// The identity was fetched again.
    public mutating func refreshed(_ identity: Refreshed) -> Step {
        let before = pending ?? .nextHost
        pending = nil
        switch identity {
        case .failed where before == .nextHost && ownHost != nil: return nextHost()
        case .failed(let why):
            errors.append("the identity can't be fetched: \(why)")
            return wait("", atLeast: Self.directoryWait, isFailure: false)
        case .gone:
            hasRefreshed = true
            if case .final(let final) = before { return .absent(final) }
            errors.append("the directory has no such identity any more")
            return exhausted()
        case .known(let newHost, let isKeyNew):
            hasRefreshed = true
            let hasMoved = newHost != ownHost
            ownHost = newHost
            if before == .badSignature, isKeyNew { return .verify }
            if hasMoved, let newHost, !asked.contains(newHost) { return nextHost() }
            return conclude(before)
        }
    }

    /// What a word of the own host means once its name is known to be fresh.
    private mutating func conclude(_ what: Pending) -> Step {
        if !hasRefreshed {
            pending = what
            return .refresh
        }
        // It moved meanwhile: the old host's word counts for nothing.
        let isOwn = current.map { $0.name == ownHost } ?? false
        switch what {
        case .final(let final) where isOwn: return .absent(final)
        case .fork where isOwn: return .write(isFork: true)
        case .final(let final): note("says \(final.rawValue), and is not the account's host any more", isFailure: true)
        case .fork: note("has an older revision, and is not the account's host any more", isFailure: true)
        case .badSignature: note("gives a repository that is not signed by the account's key", isFailure: true)
        case .nextHost: break
        }
        return nextHost()
    }

    private mutating func nextHost() -> Step {
        let names = [ownHost].compactMap { $0 } + fallbacks
        guard let name = names.first(where: { !asked.contains($0) }) else { return exhausted() }
        asked.append(name)
        let host = Host(name: name, isOwn: name == ownHost)
        current = host
        return .ask(host)
    }

    private mutating func note(_ what: String, isFailure: Bool) {
        errors.append("\(current?.name ?? "") \(what)")
        self.isFailure = self.isFailure || isFailure
    }

    private func exhausted() -> Step {
        if isTooLarge { return .giveUp(error) }
        let isFailure = isFailure || asked.isEmpty || parked == nil
        return wait(ownHost ?? asked.first ?? "", atLeast: parked ?? .zero, isFailure: isFailure)
    }

    private func wait(_ host: String, atLeast: Duration, isFailure: Bool) -> Step {
        if isFailure, failures + 1 >= failuresMax { return .giveUp(error) }
        return .wait(Wait(host: host, error: error, atLeast: atLeast, isFailure: isFailure))
    }

    private var error: String { errors.isEmpty ? "the account names no host" : errors.joined(separator: "; ") }
}
