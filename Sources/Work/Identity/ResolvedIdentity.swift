internal import ATProto
internal import Events

/// What a DID's document says, as far as verification needs it; the key parsed once.
struct ResolvedIdentity: Sendable {
    var did: String
    var key: VerificationKey
    /// The account's own host (`#atproto_pds`), empty where there is none.
    var host: String
    var handle: String
    var fetchedAt: WallTime
}

/// What is kept of it in memory, tens of thousands at a time: host and handle are the ledger's.
struct KnownIdentity: Sendable {
    var key: VerificationKey
    var fetchedAt: WallTime
}

/// What the resolver can say of a DID now.
enum IdentityAnswer: Sendable {
    case known(KnownIdentity)
    /// The directory has no such DID, or its document gives no usable key. Stands until `IdentityConfiguration.negativeLifetime` has passed.
    case absent(reason: String)
    /// Not to be had in time: hold the message and ask again.
    case pending
}
