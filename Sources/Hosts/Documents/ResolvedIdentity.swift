public import ATProto
public import Events

/// What a DID's document says, as far as verification needs it; keys parsed once.
public struct ResolvedIdentity: Sendable {
    public var did: String
    /// Of `#atproto`: verifies commits.
    public var key: VerificationKey
    /// The account's own host (`#atproto_pds`), empty where there is none.
    public var host: String
    public var handle: String
    /// Of `#atproto_label`; nil where there is none that can be used.
    public var labelKey: VerificationKey?
    /// Of `#atproto_labeler`, in the form of ``host``.
    public var labelerHost: String?
    public var fetchedAt: WallTime
}

/// What the document of a labeler says.
public struct ResolvedLabeler: Sendable {
    public var did: String
    /// Of `#atproto_label`: verifies labels; nil where there is none that can be used, so its labels can't be verified.
    public var labelKey: VerificationKey?
    /// Where its labels are (`#atproto_labeler`), as `https://host` or `http://host`, with a port where one is given.
    public var host: String?
    public var fetchedAt: WallTime
}
