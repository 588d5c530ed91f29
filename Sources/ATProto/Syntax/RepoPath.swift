/// A path of a repository, `collection/rkey`: an NSID and a record key.
struct RepoPath {
    let collection: String
    let rkey: String

    /// Nil where the text is none, or longer than a key of the tree may be.
    init?(_ path: String) {
        // A string that is not contiguous becomes so once; those that a reader made are.
        var path = path
        let slash: Int? = path.withUTF8 { utf8 in
            guard utf8.count <= Limits.mstKeyBytes, let slash = utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
            let isPath = Syntax.isNSID(utf8: utf8[..<slash]) && Syntax.isRecordKey(utf8: utf8[(slash + 1)...])
            return isPath ? slash : nil
        }
        guard let slash else { return nil }
        // Both parts are ASCII, so offsets in bytes are indices.
        let place = path.utf8.index(path.startIndex, offsetBy: slash)
        collection = String(path[..<place])
        rkey = String(path[path.utf8.index(after: place)...])
    }
}
