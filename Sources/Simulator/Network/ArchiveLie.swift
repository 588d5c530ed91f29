import ATProto

/// What an archive has in place of the truth: each is one change of what ``RepositoryArchive`` would write.
struct ArchiveLie: Sendable {
    /// In place of the repository's commit, and the root of the archive.
    var head: Block?
    /// In place of the tree's root, under the address that it says.
    var root: Block?
    /// A section that is not there.
    var omitted: RepositoryArchive.Step?
    /// A block whose last byte is another.
    var spoiled: RepositoryArchive.Step?
    /// So many sections and no more.
    var end: Int?
    /// Bytes in front of a section, or behind the last.
    var inserted: (place: Int, bytes: [UInt8])?
}
