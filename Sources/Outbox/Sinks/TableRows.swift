import Events
import PostgresClient

/// A batch as rows of a sink's table.
enum TableRows {
    /// A row each event, in the order of `sink_append_rows.sql`.
    static func copy(_ events: [LogEvent], run: RunID) -> BinaryCopyWriter {
        var copy = BinaryCopyWriter(columnCount: 14)
        for event in events {
            copy.beginRow()
            copy.value(run.description)
            copy.value(event.seq)
            copy.value(event.kind.rawValue)
            copy.value(event.did)
            copy.value(event.rev)
            copy.value(event.collection)
            copy.value(event.rkey)
            copy.value(event.action?.rawValue ?? "")
            copy.value(event.cid)
            copy.value(event.live)
            copy.value(event.host)
            copy.value(event.time)
            copy.value(PostgresTimestamp(microsecondsSince1970: event.loggedAt.microseconds))
            // `json` in binary format is its text.
            copy.bytea(event.body.isEmpty ? nil : event.body)
        }
        return copy
    }

    struct Key: Hashable {
        var did: String
        var collection: String
        var rkey: String
    }

    /// The latest event of each key, in the order of their seqs. Only records have a key.
    static func latest(_ events: [LogEvent]) -> [LogEvent] {
        var last: [Key: Int] = [:]
        for (index, event) in events.enumerated() where event.kind == .record {
            last[Key(did: event.did, collection: event.collection, rkey: event.rkey)] = index
        }
        return last.values.sorted().map { events[$0] }
    }

    /// The parameters of `sink_upsert_rows.sql`.
    static func upsert(_ events: [LogEvent], run: RunID) -> [PostgresParameter] {
        [
            .text(run.description), .texts(events.map(\.did)), .texts(events.map(\.collection)), .texts(events.map(\.rkey)),
            .int64s(events.map(\.seq)), .texts(events.map(\.rev)), .texts(events.map(\.cid)), .bools(events.map(\.live)),
            .timestamps(events.map { PostgresTimestamp(microsecondsSince1970: $0.loggedAt.microseconds) }),
            .texts(events.map { $0.body.isEmpty ? nil : String(decoding: $0.body, as: UTF8.self) }),
        ]
    }

    /// The parameters of `sink_delete_rows.sql`.
    static func delete(_ events: [LogEvent], run: RunID) -> [PostgresParameter] {
        [
            .text(run.description), .texts(events.map(\.did)), .texts(events.map(\.collection)), .texts(events.map(\.rkey)),
            .int64s(events.map(\.seq)),
        ]
    }
}
