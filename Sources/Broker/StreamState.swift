import Events
import RedisClient

/// What Redis knows of a work stream and of its group, from `XINFO STREAM` and `XINFO GROUPS`.
struct StreamState {
    /// Nil where the stream is missing.
    var lastID: EntryID?
    var length = 0
    /// Entries ever added; nil before Redis 7.
    var entriesAdded: Int64?
    var group: Group?

    struct Group {
        var position: EntryID
        var lag: Int64?
    }

    static func commands(key: String) -> RedisBatch {
        RedisBatch(RedisCommand("XINFO", "STREAM", .string(key)), RedisCommand("XINFO", "GROUPS", .string(key)))
    }

    /// Reads the replies to ``commands(key:)``.
    init(_ replies: ArraySlice<RedisValue>) throws(RedisError) {
        guard let stream = replies.first, let groups = replies.dropFirst().first else {
            throw RedisError(code: .unexpectedReply, message: "no replies to XINFO")
        }
        if stream.serverError?.kind == .noSuchKey || groups.serverError?.kind == .noSuchKey { return }
        let fields = try Self.fields(stream)
        lastID = try fields["last-generated-id"].flatMap { (value) throws(RedisError) in EntryID(try value.string()) } ?? .zero
        length = Int(try fields["length"]?.integer() ?? 0)
        entriesAdded = try fields["entries-added"]?.integer()
        for value in try groups.array() {
            let fields = try Self.fields(value)
            guard try fields["name"]?.string() == StreamKeys.workGroup else { continue }
            let position = try fields["last-delivered-id"].flatMap { (value) throws(RedisError) in EntryID(try value.string()) }
            let lag = try fields["lag"]?.optional()?.integer()
            group = Group(position: position ?? .zero, lag: lag)
        }
    }

    /// How many entries, of all ever added, stand at or before `committed`; nil where Redis cannot tell without counting them.
    func entriesRead(at committed: EntryID) -> Int64? {
        guard let lastID, let entriesAdded else { return nil }
        if committed >= lastID { return entriesAdded }
        if length == entriesAdded && committed == .zero { return 0 }
        guard let group, group.position == committed, let lag = group.lag else { return nil }
        return entriesAdded - lag
    }

    private static func fields(_ value: RedisValue) throws(RedisError) -> [String: RedisValue] {
        let parts = try value.array()
        var fields: [String: RedisValue] = [:]
        for index in stride(from: 0, to: parts.count - 1, by: 2) { fields[try parts[index].string()] = parts[index + 1] }
        return fields
    }
}
