/// One step of the schema, in a file of `SQL/` whose name begins with `m` and its number. A step that was released never changes.
struct Migration: Sendable {
    var name: String
    var text: [UInt8]

    /// In the order in which they are applied.
    static let all = [
        Migration(name: "m001_core", text: PackageResources.m001_core_sql),
        Migration(name: "m002_backfill", text: PackageResources.m002_backfill_sql),
        Migration(name: "m003_labels", text: PackageResources.m003_labels_sql),
        Migration(name: "m004_runs", text: PackageResources.m004_runs_sql),
        Migration(name: "m005_sinks", text: PackageResources.m005_sinks_sql),
        Migration(name: "m006_clients", text: PackageResources.m006_clients_sql),
        Migration(name: "m007_compression", text: PackageResources.m007_compression_sql),
    ]
}
