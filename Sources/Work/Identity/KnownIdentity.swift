internal import ATProto
internal import Events

/// What is kept of an identity in memory, tens of thousands at a time: host and handle are the ledger's.
struct KnownIdentity: KnownDocument {
    var key: VerificationKey
    var fetchedAt: WallTime
}
