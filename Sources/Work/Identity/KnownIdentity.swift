internal import ATProto
internal import Events

/// What is kept of an identity in memory, tens of thousands at a time: host and handle are the ledger's.
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
