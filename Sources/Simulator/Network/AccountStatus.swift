/// Whether an account is hosted, and why not. The raw value is the protocol's `status`.
enum AccountStatus: String, Hashable, Sendable {
    case active, deactivated, takendown, suspended, deleted

    var isActive: Bool { self == .active }
    /// As events and answers have it: none where the account is active.
    var text: String? { isActive ? nil : rawValue }

    /// The error of `getRepo` and its kin.
    var repositoryError: String? {
        switch self {
        case .active: nil
        case .deactivated: "RepoDeactivated"
        case .takendown: "RepoTakendown"
        case .suspended: "RepoSuspended"
        case .deleted: "RepoNotFound"
        }
    }
}
