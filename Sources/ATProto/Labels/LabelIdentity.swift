/// Which label a statement is about, as two digests: of its subject, and of source, version and value.
///
/// Digests, since a subject may be longer than a key of an index, and byte for byte, since Swift holds strings equal whose letters are composed
/// differently. The parts of the second are told apart by their lengths, which stand in front of them.
public struct LabelIdentity: Hashable, Sendable {
    public let subject: Digest
    public let label: Digest

    public init(_ label: Label) {
        subject = Self.subject(label.uri)
        var parts = CBORWriter(capacity: 256)
        for part in [label.src, label.cid ?? "", label.val] { parts.text(part) }
        self.label = Digest(hashing: parts.bytes)
    }

    /// The digest of a subject, by which its labels are found.
    public static func subject(_ uri: String) -> Digest { Digest(hashing: Array(uri.utf8)) }
}
