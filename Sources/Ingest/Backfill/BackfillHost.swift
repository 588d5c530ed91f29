/// A host whose list is read.
struct BackfillHost: Sendable {
    /// `host` or `host:port`: the name of its enumeration, and of its lease.
    var name: String
    var lister: any RepositoryLister
}
