import ATProto

/// An account: who it is, whether it is hosted, and its repository once somebody needed it.
struct SimulatedAccount: Sendable {
    let index: Int
    let did: String
    var status: AccountStatus = .active
    var handleGeneration = 0
    var keyGeneration = 0
    var key: SigningKey?
    var repository: SimulatedRepository?
}
