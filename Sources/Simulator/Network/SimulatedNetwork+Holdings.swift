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

    func holding(of did: String) throws(SimulatorError) -> RepositoryHolding? {
        guard let index = indexOfDID[did] else { return nil }
        return try holding(index)
    }
}
