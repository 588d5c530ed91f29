import ATProto

/// An account: who it is, whether it is hosted, and its repository once somebody needed it.
struct SimulatedAccount: Sendable {
    let index: Int
    let did: String
    /// The place of the host where it lives.
    var host: Int
    /// What hosts say of it where it lived before, by their places.
    var formerHosts: [Int: AccountStatus] = [:]
    var status: AccountStatus = .active
    var handleGeneration = 0
    var keyGeneration = 0
    var key: SigningKey?
    var repository: SimulatedRepository?
}

extension SimulatedAccount {
    /// What a host says of the account, nil where it knows nothing of it. Without a host it is what a relay says, which follows the account.
    func status(at place: Int?) -> AccountStatus? {
        guard let place, place != host else { return status }
        return formerHosts[place]
    }
}
