public import ATProto

/// A page of `listRepos` or `listReposByCollection`: the repositories, and where the next page is.
///
/// A host's cursor is opaque: it is kept and sent as it came. Of a list that can't come to its end by itself the page says so, as a value.
public struct RepositoryPage: Hashable, Sendable {
    /// A repository as the host lists it. `listReposByCollection` gives the DID only.
    public struct Entry: Hashable, Sendable {
        public var did: String
        /// CID of the current commit; nil where it was not given.
        public var head: CID?
        public var rev: TID?
        /// True where the host does not say.
        public var isActive: Bool
        /// Why it is not active, as the host words it, at most 64 characters.
        public var status: String?
    }

    public enum Next: Hashable, Sendable {
        case end
        case page(cursor: String)
        /// This page had no repository, and there is to be another: a list of such pages may never end.
        case afterEmptyPage(cursor: String)
        /// The host gave back the cursor that it was sent: asking again would give the same page for ever.
        case sameCursor
    }

    public var entries: [Entry]
    public var next: Next
    /// Entries that were left out: without a valid DID, or with a head or rev that is none.
    public var dropped: Int

    public static let cursorBytesMax = 4096
    /// More entries than any limit that may be asked for, five times over: no page.
    public static let entriesMax = 10_000

    /// Reads a page; throws `malformed` where the answer is none. No I/O.
    ///
    /// - Parameter isDetailed: whether each entry must have a head and a rev, as in `listRepos`.
    init(reading json: JSONValue, isDetailed: Bool, sent cursor: String?, host: HostEndpoint) throws(HostError) {
        func malformed(_ problem: String) -> HostError { HostError(.malformed, problem, host: host.authority) }
        guard let listed = json["repos"]?.array else { throw malformed("the page has no repos") }
        guard listed.count <= Self.entriesMax else { throw malformed("a page of \(listed.count) repositories") }
        entries = listed.compactMap { Self.entry($0, isDetailed: isDetailed) }
        dropped = listed.count - entries.count
        switch json["cursor"] {
        case nil, .null?: next = .end
        case .string(let text)?:
            guard text.utf8.count <= Self.cursorBytesMax, !text.utf8.contains(0) else {
                throw malformed("a cursor has more than \(Self.cursorBytesMax) bytes, or U+0000")
            }
            if text.isEmpty {
                next = .end
            } else if let cursor, cursor.utf8.elementsEqual(text.utf8) {
                next = .sameCursor
            } else {
                next = listed.isEmpty ? .afterEmptyPage(cursor: text) : .page(cursor: text)
            }
        default: throw malformed("the cursor is no string")
        }
    }

    private static func entry(_ json: JSONValue, isDetailed: Bool) -> Entry? {
        guard let did = json["did"]?.string, Syntax.isDID(did) else { return nil }
        guard isDetailed else { return Entry(did: did, head: nil, rev: nil, isActive: true, status: nil) }
        guard let head = json["head"]?.string.flatMap({ CID($0) }), let rev = json["rev"]?.string.flatMap({ TID($0) }) else { return nil }
        let isActive = if case .bool(false)? = json["active"] { false } else { true }
        return Entry(did: did, head: head, rev: rev, isActive: isActive, status: status(json))
    }

    static func status(_ json: JSONValue) -> String? { json["status"]?.string.map { HostAnswer.printable($0, scalars: 64) } }
}
