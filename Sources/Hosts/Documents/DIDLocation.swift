/// Where a DID's document is: decided from its text alone.
public enum DIDLocation: Hashable, Sendable {
    /// The did:plc directory has it under this DID.
    case directory
    /// did:web: its own host serves `/.well-known/did.json`.
    case host(name: String, port: Int?)
    case unsupported(reason: String)

    /// Source: the specification of DIDs in AT Protocol: did:plc and did:web without paths; a port, percent-encoded, only on localhost.
    public init(_ did: String) {
        if did.hasPrefix("did:plc:") {
            let id = did.dropFirst("did:plc:".count)
            let isBase32 = id.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "2")...UInt8(ascii: "7")).contains($0)
            }
            self = id.utf8.count == 24 && isBase32 ? .directory : .unsupported(reason: "a did:plc has 24 characters of a-z and 2-7")
            return
        }
        guard did.hasPrefix("did:web:") else {
            self = .unsupported(reason: "only did:plc and did:web are supported")
            return
        }
        let rest = did.dropFirst("did:web:".count)
        guard !rest.isEmpty, rest.utf8.count <= 253, !rest.contains(":") else {
            self = .unsupported(reason: "a did:web is one host name, without a path")
            return
        }
        let parts = rest.replacing("%3A", with: ":").replacing("%3a", with: ":").split(separator: ":", omittingEmptySubsequences: false)
        let name = String(parts[0]).lowercased()
        guard name.utf8.allSatisfy(Self.isHostByte), !name.hasPrefix("."), !name.hasSuffix("."), !name.hasPrefix("-") else {
            self = .unsupported(reason: "not a host name")
            return
        }
        switch parts.count {
        case 1 where name == "localhost" || name.contains("."): self = .host(name: name, port: nil)
        case 2 where name == "localhost":
            if let port = Int(parts[1]), (1...65535).contains(port) {
                self = .host(name: name, port: port)
            } else {
                self = .unsupported(reason: "a port is 1 to 65535")
            }
        default: self = .unsupported(reason: "a host name with a dot; a port only on localhost")
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }
}
