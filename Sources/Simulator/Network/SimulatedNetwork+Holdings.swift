import ATProto

/// What accounts hold, for whoever compares.
extension SimulatedNetwork {
    /// The state of the account at a place; nil behind the last.
    func holding(_ place: Int) throws(SimulatorError) -> RepositoryHolding? {
        guard place < accounts.count else { return nil }
        let isDeleted = accounts[place].status == .deleted
        let repository = isDeleted ? nil : try Self.making(place) { () throws(FormatError) in try prepare(place) }
        return RepositoryHolding(did: accounts[place].did, status: accounts[place].status, host: accounts[place].host, repository: repository)
    }

    /// What a label may be about: an account and, where it has any, one of its records.
    func subject(_ place: Int, draw: Int) throws(SimulatorError) -> LabelMaker.Subject {
        guard let entries = try holding(place)?.repository?.entries, !entries.isEmpty else { return LabelMaker.Subject(did: accounts[place].did) }
        let entry = entries[draw % entries.count]
        return LabelMaker.Subject(did: accounts[place].did, record: (entry.path, entry.cid))
    }

    func holding(of did: String) throws(SimulatorError) -> RepositoryHolding? {
        guard let index = indexOfDID[did] else { return nil }
        return try holding(index)
    }
}
