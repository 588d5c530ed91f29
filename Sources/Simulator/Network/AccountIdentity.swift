/// What the directory says of an account.
struct AccountIdentity: Hashable, Sendable {
    var did: String
    var handle: String
    /// As `publicKeyMultibase` has it.
    var multikey: String
}
