extension Syntax {
    /// What a label may be about: a DID, or an `at://` address whose authority is a DID; printable ASCII, at most ``Limits/labelSubjectBytes`` bytes.
    public static func isLabelSubject(_ uri: String) -> Bool { did(ofSubject: uri) != nil }

    /// The DID of the account that a label's subject belongs to; nil where it is no such subject, as with a handle for an authority.
    public static func did(ofSubject uri: String) -> String? {
        guard uri.utf8.count <= Limits.labelSubjectBytes, uri.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
        guard uri.utf8.starts(with: "at://".utf8) else { return isDID(uri) ? uri : nil }
        let authority = uri.utf8.dropFirst("at://".utf8.count).prefix {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        return isDID(utf8: authority) ? String(decoding: authority, as: UTF8.self) : nil
    }
}
