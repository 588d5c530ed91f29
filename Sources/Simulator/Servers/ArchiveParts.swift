/// The parts of an archive on their way to one reader; the next is made when the last has gone to the socket.
actor ArchiveParts {
    private var first: [UInt8]?
    private var archive: RepositoryArchive

    /// `first` was made before.
    init(first: [UInt8]? = nil, _ archive: RepositoryArchive) {
        self.first = first
        self.archive = archive
    }

    func part() -> [UInt8]? {
        if let first = first.take() { return first }
        return archive.part()
    }
}
