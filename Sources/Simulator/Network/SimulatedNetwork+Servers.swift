import ATProto

/// What the directory and the repository host ask.
extension SimulatedNetwork {
    func identity(of did: String) -> AccountIdentity? {
        guard let index = indexOfDID[did], let key = try? key(index) else { return nil }
        return AccountIdentity(
            did: did, handle: names.handle(index, generation: accounts[index].handleGeneration), multikey: key.verificationKey.multikey)
    }

    /// The repository as a CAR.
    func repository(of did: String) -> Result<[UInt8], RepositoryRefusal> {
        repositoryState(of: did).map { index, repository in
            var repository = repository
            return repository.car { entry in
                generator.record(entry.collection, account: index, number: entry.number, microseconds: entry.microseconds)
            }
        }
    }

    func head(of did: String) -> Result<RepositoryListing.Entry, RepositoryRefusal> {
        repositoryState(of: did).map { _, repository in
            RepositoryListing.Entry(did: did, head: "\(repository.head.cid)", rev: repository.rev, active: true)
        }
    }

    func status(of did: String) -> RepositoryStatus? {
        guard let index = indexOfDID[did], let repository = try? prepare(index) else { return nil }
        let status = accounts[index].status
        return RepositoryStatus(did: did, active: status.isActive, status: status.text, rev: status.isActive ? repository.rev : nil)
    }

    /// A page of all repositories; nil where the cursor is none of ours. It is opaque: a place mixed with the seed.
    func list(cursor: String?, limit: Int) -> RepositoryListing? {
        let mask = UInt64(configuration.seed) &* 0x9e37_79b9_7f4a_7c15 >> 20
        var first = 0
        if let cursor {
            guard cursor.hasPrefix("p"), let masked = UInt64(cursor.dropFirst(), radix: 36) else { return nil }
            guard let place = Int(exactly: masked ^ mask), (0...accounts.count).contains(place) else { return nil }
            first = place
        }
        let end = min(first + limit, accounts.count)
        var entries: [RepositoryListing.Entry] = []
        for index in first..<end {
            guard let repository = try? prepare(index) else { continue }
            let account = accounts[index]
            entries.append(
                RepositoryListing.Entry(
                    did: account.did, head: "\(repository.head.cid)", rev: repository.rev, active: account.status.isActive,
                    status: account.status.text))
        }
        return RepositoryListing(cursor: end < accounts.count ? "p" + String(UInt64(end) ^ mask, radix: 36) : nil, repos: entries)
    }

    private func repositoryState(of did: String) -> Result<(Int, SimulatedRepository), RepositoryRefusal> {
        guard let index = indexOfDID[did], let repository = try? prepare(index) else {
            return .failure(RepositoryRefusal(name: "RepoNotFound"))
        }
        if let error = accounts[index].status.repositoryError { return .failure(RepositoryRefusal(name: error)) }
        return .success((index, repository))
    }
}
