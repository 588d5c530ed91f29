/// The statements about repositories that people name and ask for: files of the folder `SQL`, embedded.
enum ScopeSQL {
    static let addScope = text(PackageResources.add_scope_sql)
    static let removeScope = text(PackageResources.remove_scope_sql)
    static let addJobs = text(PackageResources.add_jobs_sql)
    static let resyncJobs = text(PackageResources.resync_jobs_sql)
    static let deleteJobs = text(PackageResources.delete_jobs_sql)
    static let askOwners = text(PackageResources.ask_owners_sql)
    static let planForValues = text(PackageResources.plan_for_values_sql)
    static let repositoryCounts = text(PackageResources.repository_counts_sql)
    static let trackedRepositories = text(PackageResources.tracked_repositories_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
