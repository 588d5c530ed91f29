/// Why a repository is not given.
struct RepositoryRefusal: Error, Hashable, Sendable {
    /// As the lexicon has it, for example `RepoTakendown`.
    var name: String
}
