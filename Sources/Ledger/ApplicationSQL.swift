/// The statements about applications' runs: files of the folder `SQL`, embedded.
enum ApplicationSQL {
    static let lockRun = text(PackageResources.lock_run_sql)
    static let selectDedupKeys = text(PackageResources.select_dedup_keys_sql)
    static let selectKeySequences = text(PackageResources.select_key_sequences_sql)
    static let insertDedupKeys = text(PackageResources.insert_dedup_keys_sql)
    static let upsertKeys = text(PackageResources.upsert_keys_sql)
    static let lockIdempotency = text(PackageResources.lock_idempotency_sql)
    static let selectIdempotent = text(PackageResources.select_idempotent_sql)
    static let insertRunDetails = text(PackageResources.insert_run_details_sql)
    static let noteRunEnd = text(PackageResources.note_run_end_sql)
    static let runDetails = text(PackageResources.run_details_sql)
    static let snapshotRun = text(PackageResources.snapshot_run_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
