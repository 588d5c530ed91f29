/// The statements about enumerations, jobs and hosts: files of the folder `SQL`, embedded.
enum JobSQL {
    static let openBackfillSource = text(PackageResources.open_backfill_source_sql)
    static let restartBackfillSource = text(PackageResources.restart_backfill_source_sql)
    static let noteBackfillSource = text(PackageResources.note_backfill_source_sql)
    static let requireSource = text(PackageResources.require_source_sql)
    static let storePage = text(PackageResources.store_page_sql)
    static let rewindBackfillSource = text(PackageResources.rewind_backfill_source_sql)
    static let tellBackfillSource = text(PackageResources.tell_backfill_source_sql)
    static let declaredGaps = text(PackageResources.declared_gaps_sql)
    static let parkedHostCount = text(PackageResources.parked_host_count_sql)
    static let keepQueued = text(PackageResources.keep_queued_sql)
    static let statusSources = text(PackageResources.status_sources_sql)
    static let statusJobs = text(PackageResources.status_jobs_sql)
    static let feedJobs = text(PackageResources.feed_jobs_sql)
    static let sweepJobs = text(PackageResources.sweep_jobs_sql)
    static let claimJobs = text(PackageResources.claim_jobs_sql)
    static let touchJobs = text(PackageResources.touch_jobs_sql)
    static let returnJob = text(PackageResources.return_job_sql)
    static let streamedJobs = text(PackageResources.streamed_jobs_sql)
    static let buryJob = text(PackageResources.bury_job_sql)
    static let parkHost = text(PackageResources.park_host_sql)
    static let unparkHost = text(PackageResources.unpark_host_sql)
    static let parkedHosts = text(PackageResources.parked_hosts_sql)
    static let jobCounts = text(PackageResources.job_counts_sql)
    static let selectJob = text(PackageResources.select_job_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
