/// What of a DID document this network uses: handle, signing key, hosts.
///
/// A document may lack any of these (a tombstoned account, a service without a repository), so they are optional; what is there but cannot
/// be used, such as a key of an unknown kind, counts as absent. Source: the specifications of DIDs and of the `#atproto` verification method.
public struct DIDDocument: Hashable, Sendable {
    public let did: String
    /// Of the first `at://` entry of `alsoKnownAs` that is a handle, in lower case; claimed, not verified.
    public let handle: String?
    /// Of `#atproto`: verifies commits.
    public let signingKey: VerificationKey?
    /// Of `#atproto_label`: verifies labels.
    public let labelKey: VerificationKey?
    /// Of `#atproto_pds`: the account's host, as `https://host` or `http://host`, with a port where one is given, without a path.
    public let host: String?
    /// Of `#atproto_labeler`, in the same form.
    public let labeler: String?

    private static let maxEntries = 64

    /// Parses a document; throws `json` where it is none or longer than ``Limits/didDocumentBytes``, `syntax` where its `id` is not `did`.
    public init(parsing json: [UInt8], did: String) throws(FormatError) {
        guard json.count <= Limits.didDocumentBytes else { throw FormatError(.json, "a DID document of \(json.count) bytes") }
        let document = try JSONValue(parsing: json)
        guard let id = document["id"]?.string, id.utf8.elementsEqual(did.utf8) else {
            throw FormatError(.syntax, "the document is not that of the DID")
        }
        self.did = did
        handle = Self.entries(document, "alsoKnownAs").lazy
            .compactMap { $0.string }
            .filter { $0.hasPrefix("at://") }
            .map { String($0.dropFirst("at://".count)) }
            .first { Syntax.isHandle($0) }?
            .lowercased()
        signingKey = Self.key(document, "#atproto", did)
        labelKey = Self.key(document, "#atproto_label", did)
        host = Self.service(document, "#atproto_pds", "AtprotoPersonalDataServer", did)
        labeler = Self.service(document, "#atproto_labeler", "AtprotoLabeler", did)
    }

    private static func entries(_ document: JSONValue, _ field: String) -> ArraySlice<JSONValue> {
        document[field]?.array?.prefix(maxEntries) ?? []
    }

    /// The first entry whose id is the fragment, alone or after the DID.
    private static func entry(_ document: JSONValue, _ field: String, _ fragment: String, _ did: String) -> JSONValue? {
        entries(document, field).first { entry in
            guard let id = entry["id"]?.string else { return false }
            return id == fragment || id == did + fragment
        }
    }

    private static func key(_ document: JSONValue, _ fragment: String, _ did: String) -> VerificationKey? {
        guard let method = entry(document, "verificationMethod", fragment, did), let type = method["type"]?.string,
            method["controller"]?.string == did, let text = method["publicKeyMultibase"]?.string
        else { return nil }
        switch type {
        case "Multikey": return try? VerificationKey(multikey: text)
        case "EcdsaSecp256k1VerificationKey2019": return try? VerificationKey(legacyMultibase: text, curve: .k256)
        case "EcdsaSecp256r1VerificationKey2019": return try? VerificationKey(legacyMultibase: text, curve: .p256)
        default: return nil
        }
    }

    private static func service(_ document: JSONValue, _ fragment: String, _ type: String, _ did: String) -> String? {
        guard let service = entry(document, "service", fragment, did), service["type"]?.string == type,
            let endpoint = service["serviceEndpoint"]?.string
        else { return nil }
        return origin(endpoint)
    }

    /// `scheme://host[:port]` of a URL that has nothing else but a slash at its end; nil for any other.
    private static func origin(_ url: String) -> String? {
        guard url.utf8.count <= 512, let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else { return nil }
        var authority = url.dropFirst(scheme.count)
        if authority.last == "/" { authority = authority.dropLast() }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(isHostByte) else { return nil }
        if parts.count == 2 {
            guard let port = UInt16(parts[1]), port > 0, parts[1].utf8.first != UInt8(ascii: "+") else { return nil }
        }
        return scheme + authority
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}
