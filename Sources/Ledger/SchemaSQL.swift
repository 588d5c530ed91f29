/// The statements about the schema itself: files of the folder `SQL`, embedded.
enum SchemaSQL {
    static let migrationLock = text(PackageResources.migration_lock_sql)
    static let migrationTable = text(PackageResources.migration_table_sql)
    static let migrationApplied = text(PackageResources.migration_applied_sql)
    static let migrationRecord = text(PackageResources.migration_record_sql)
    static let schemaVersion = text(PackageResources.schema_version_sql)
    static let seedShards = text(PackageResources.seed_shards_sql)
    static let seedLabels = text(PackageResources.seed_labels_sql)
    static let seedRepositories = text(PackageResources.seed_repositories_sql)
    static let seedBackfill = text(PackageResources.seed_backfill_sql)
    static let makePartitions = text(PackageResources.make_partitions_sql)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
