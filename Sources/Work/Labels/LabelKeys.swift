internal import ATProto

/// Finds the keys that labels are signed with: of each source the key `#atproto_label` of its document.
///
/// Answers within a bounded time, whatever the directory does.
protocol LabelKeys: Sendable {
    /// An answer for each source.
    func labelKeys(of sources: Set<String>) async -> [String: LabelKeyAnswer]

    /// The same after signatures that did not verify: documents are fetched again, each at most once an interval.
    func refreshedLabelKeys(of sources: Set<String>) async -> [String: LabelKeyAnswer]
}

/// What can be said of a source's key now.
enum LabelKeyAnswer: Sendable {
    case known(VerificationKey)
    /// There is no such DID, or its document has no key for labels.
    case absent(reason: String)
    /// Not to be had in time: hold the label and ask again.
    case pending
}
