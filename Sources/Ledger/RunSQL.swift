/// The statements about runs, their outbox, identities and the status: files of the folder `SQL`, embedded.
enum RunSQL {
    static let claimOutbox = text(PackageResources.claim_outbox_sql)
    static let markPublished = text(PackageResources.mark_published_sql)
    static let failOutbox = text(PackageResources.fail_outbox_sql)
    static let haltOutbox = text(PackageResources.halt_outbox_sql)
    static let readEvents = text(PackageResources.read_events_sql)
    static let selectRuns = text(PackageResources.select_runs_sql)
    static let createRun = text(PackageResources.create_run_sql)
    static let endRun = text(PackageResources.end_run_sql)
    static let selectIdentities = text(PackageResources.select_identities_sql)
    static let storeIdentities = text(PackageResources.store_identities_sql)
    static let heldIndex = text(PackageResources.held_index_sql)
    static let statusUpstreams = text(PackageResources.status_upstreams_sql)
    static let statusShards = text(PackageResources.status_shards_sql)
    static let statusWorkers = text(PackageResources.status_workers_sql)
    static let statusRefused = text(PackageResources.status_refused_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
