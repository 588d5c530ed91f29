/// What the directory says of an account.
struct AccountIdentity: Hashable, Sendable {
    var did: String
    var handle: String
    /// As `publicKeyMultibase` has it.
    var multikey: String
    /// The place of the account's host.
    var host: Int
}
