extension HostError {
    /// What an answer means for the question that was asked.
    public enum Disposition: String, Hashable, Sendable, CaseIterable {
        /// The host has answered: asking it again changes nothing. Whether it is the account's host is the caller's to know.
        case answer
        /// This host may answer later.
        case retry
        /// This host will not answer, another one may.
        case elsewhere
        /// Nothing was learned.
        case none
    }

    public struct Advice: Hashable, Sendable {
        public var disposition: Disposition
        /// For the operator: what it is and what may be done, one sentence.
        public var text: String
        /// Whether it counts against the host, which is then left alone for a while.
        public var isHostsFailure: Bool
    }

    /// The one table of what follows from a code.
    public var advice: Advice {
        switch code {
        case .notFound: Advice(.answer, "the host has no such repository; it may have moved to another host")
        case .takendown: Advice(.answer, "the host has taken the repository down")
        case .suspended: Advice(.answer, "the host has suspended the account for a while")
        case .deactivated: Advice(.answer, "the account's owner has deactivated it")
        case .rateLimited: Advice(.retry, "the host asks to slow down; lower the requests per host where it happens often", isHostsFailure: true)
        case .unavailable: Advice(.retry, "the host is down, overloaded or too slow; it is asked again after a back-off", isHostsFailure: true)
        case .tooLarge: Advice(.elsewhere, "the answer is larger than is allowed; raise the limit where the repository really is that large")
        case .malformed: Advice(.elsewhere, "the host does not speak the protocol, or another server answers at its address")
        case .refusedAddress: Advice(.elsewhere, "the host's name leads into a private network; allow that only where all hosts are trusted")
        case .notSupported: Advice(.elsewhere, "the host does not offer this method")
        case .cancelled: Advice(.none, "the request was given up by this process")
        case .other: Advice(.elsewhere, "the host refuses the request; its message says why")
        }
    }
}

extension HostError.Advice {
    fileprivate init(_ disposition: HostError.Disposition, _ text: String, isHostsFailure: Bool = false) {
        self.init(disposition: disposition, text: text, isHostsFailure: isHostsFailure)
    }
}
