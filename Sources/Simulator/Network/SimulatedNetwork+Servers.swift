import ATProto

/// What the directory and the repository hosts ask. `host` is the place of the one that is asked; nil is a relay, which has every account's.
extension SimulatedNetwork {
    /// Accounts that one page looks at: one whose repository was never needed is made for it.
    private static let examinedMax = 2_000

    func identity(of did: String) -> AccountIdentity? {
        guard let index = indexOfDID[did], let key = try? key(index) else { return nil }
        let account = accounts[index]
        return AccountIdentity(
            did: did, handle: names.handle(index, generation: account.handleGeneration), multikey: key.verificationKey.multikey, host: account.host)
    }

    /// The repository as it is now, to be read outside of the network.
    func archive(of did: String, at host: Int? = nil) -> Result<RepositoryArchive, RepositoryRefusal> {
        repositoryState(of: did, at: host).map { index, repository in begun(repository, index) }
    }

    /// An archive that is wrong on purpose; nil where the repository gives no occasion for this lie.
    func archive(of did: String, at host: Int?, lying order: FaultOrder) throws(SimulatorError) -> RepositoryArchive? {
        guard case .success(let (index, repository)) = repositoryState(of: did, at: host) else { return nil }
        return try Self.making(index) { () throws(FormatError) in
            let key = try key(index)
            if order.kind == .carStale {
                return try repository.rewound(by: order.depth, did: did, key: key).map { begun($0, index) }
            }
            lies += 1
            var archive = begun(repository, index)
            var liar = ArchiveLies(
                did: did, archive: archive, key: key, stranger: try SigningKey(.k256, secret: names.keySeed(index, generation: 2_000_000 + lies)),
                otherDID: accounts[(index + 1) % accounts.count].did, random: RandomStream(seed: configuration.seed, "lie", index, lies))
            guard let lie = try liar.lie(order.kind) else { return nil }
            archive.tell(lie)
            return archive
        }
    }

    /// The repository as a whole CAR.
    func repository(of did: String, at host: Int? = nil) -> Result<[UInt8], RepositoryRefusal> {
        archive(of: did, at: host).map { archive in
            var archive = archive
            var bytes: [UInt8] = []
            while let part = archive.part() { bytes += part }
            return bytes
        }
    }

    private func begun(_ repository: SimulatedRepository, _ index: Int) -> RepositoryArchive {
        RepositoryArchive(repository, account: index, order: configuration.content.archiveOrder, generator: generator)
    }

    func head(of did: String, at host: Int? = nil) -> Result<RepositoryListing.Entry, RepositoryRefusal> {
        repositoryState(of: did, at: host).map { _, repository in
            RepositoryListing.Entry(did: did, head: "\(repository.head.cid)", rev: repository.rev, active: true)
        }
    }

    func status(of did: String, at host: Int? = nil) -> RepositoryStatus? {
        guard let index = indexOfDID[did], let status = accounts[index].status(at: host), status != .deleted else { return nil }
        guard let repository = try? prepare(index) else { return nil }
        return RepositoryStatus(did: did, active: status.isActive, status: status.text, rev: status.isActive ? repository.rev : nil)
    }

    /// A page of the repositories; nil where the cursor is none of this listing's. Deleted ones are left out.
    func list(cursor: String?, limit: Int, at host: Int? = nil) async -> RepositoryListing? {
        let cursors = ListingCursor(seed: configuration.seed, host: host)
        guard var place = cursor.map({ cursors.place($0, through: accounts.count) }) ?? 0 else { return nil }
        var entries: [RepositoryListing.Entry] = []
        while place < accounts.count, entries.count < limit {
            defer { place += 1 }
            guard let status = accounts[place].status(at: host), status != .deleted, let repository = try? prepare(place) else { continue }
            entries.append(
                RepositoryListing.Entry(
                    did: accounts[place].did, head: "\(repository.head.cid)", rev: repository.rev, active: status.isActive, status: status.text))
            // Others have their turn while many repositories are made.
            if entries.count % 50 == 0 { await Task.yield() }
        }
        return RepositoryListing(cursor: place < accounts.count ? cursors.text(place) : nil, repos: entries)
    }

    /// A page of the accounts that hold a record of a collection, inactive ones too; nil where the cursor is none of this listing's.
    func list(collection: String, cursor: String?, limit: Int, at host: Int? = nil) async -> CollectionListing? {
        let cursors = ListingCursor(seed: configuration.seed, host: host)
        guard var place = cursor.map({ cursors.place($0, through: accounts.count) }) ?? 0 else { return nil }
        guard let collection = RecordCollection(rawValue: collection) else { return CollectionListing(dids: []) }
        var dids: [String] = []
        let end = min(place + Self.examinedMax, accounts.count)
        while place < end, dids.count < limit {
            defer { place += 1 }
            guard let status = accounts[place].status(at: host), status != .deleted, let repository = try? prepare(place) else { continue }
            if repository.entries.contains(where: { $0.collection == collection }) { dids.append(accounts[place].did) }
            if place % 50 == 0 { await Task.yield() }
        }
        return CollectionListing(cursor: place < accounts.count ? cursors.text(place) : nil, dids: dids)
    }

    private func repositoryState(of did: String, at host: Int?) -> Result<(Int, SimulatedRepository), RepositoryRefusal> {
        guard let index = indexOfDID[did], let status = accounts[index].status(at: host) else {
            return .failure(RepositoryRefusal(name: "RepoNotFound"))
        }
        if let error = status.repositoryError { return .failure(RepositoryRefusal(name: error)) }
        guard let repository = try? prepare(index) else { return .failure(RepositoryRefusal(name: "RepoNotFound")) }
        return .success((index, repository))
    }
}
