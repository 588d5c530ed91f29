/// Where DID documents are, and what is taken of them.
public struct DIDFetcherConfiguration: Sendable, Hashable {
    /// Base address of the did:plc directory, no slash at its end. The operator's choice: its address is not checked.
    public var plcURL: String
    /// Of one fetch, from connect to the last byte.
    public var fetchTimeout: Duration
    /// The longest document that is read, in bytes.
    public var documentBytes: Int

    public init(plcURL: String = "https://plc.directory", fetchTimeout: Duration = .seconds(5), documentBytes: Int = 64 << 10) {
        self.plcURL = plcURL
        self.fetchTimeout = fetchTimeout
        self.documentBytes = documentBytes
    }
}
