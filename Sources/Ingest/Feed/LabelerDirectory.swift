public import NIOCore

/// Where labelers listen, as their DID documents say now.
public protocol LabelerDirectory: Sendable {
    /// Asked before each connection, and now and then beside it: answers from a cache where it can.
    func location(of did: String) async -> LabelerLocation

    /// Whether a labeler may be read at this address. Documents are written by strangers, who could name machines of our own network.
    func allows(_ address: SocketAddress) -> Bool

    /// The ingester ends: nothing is asked any more.
    func close() async
}

public enum LabelerLocation: Hashable, Sendable {
    /// The origin of the service `#atproto_labeler`, as `https://host`.
    case found(String)
    /// No such DID, or its document names no labeler.
    case absent(reason: String)
    /// It cannot be told now.
    case unknown(reason: String)
}
