import Events
import NIOCore
import RedisClient

/// Encodes the entries of one append: what they have in common is encoded once.
struct UpstreamEntryEncoder {
    private let keys: StreamKeys
    private let topic: WorkTopic
    /// The key and `*`, of each shard that was seen.
    private var heads: [ByteBuffer?]
    /// Host and session, up to the name of `n`, of the entry before.
    private var origin = ByteBuffer()
    private var originHost = ""
    private var originSession: Int64 = -1

    init(keys: StreamKeys, topic: WorkTopic, shards: ShardMap) {
        self.keys = keys
        self.topic = topic
        heads = Array(repeating: nil, count: shards.count)
    }

    /// Adds `XADD key * …` to the batch. The frame of `item` is not copied: the batch keeps its storage alive.
    mutating func append(_ item: AppendItem, to batch: inout RedisBatch) {
        let entry = item.entry
        let head = head(of: item.shard)
        if originSession != entry.session || originHost != entry.host { startOrigin(entry) }
        let gap = entry.gap.map { "\($0.after)..\($0.through)" } ?? ""
        let frameBytes = item.frame?.readableBytes ?? 0
        var fields = 6 + (frameBytes > 0 || !entry.frame.isEmpty ? 1 : 0) + (entry.shed ? 1 : 0) + (gap.isEmpty ? 0 : 1)
        fields += (entry.did.isEmpty ? 0 : 1) + (entry.rev.isEmpty ? 0 : 1) + (entry.time.isEmpty ? 0 : 1)
        batch.append("XADD", argumentCount: 2 + 2 * fields) { writer in
            writer.write(encoded: head, argumentCount: 2)
            writer.write(encoded: origin, argumentCount: 5)
            writer.write(entry.n)
            writer.write(encoded: "$5\r\nepoch\r\n", argumentCount: 1)
            writer.write(entry.position.epoch)
            writer.write(encoded: "$3\r\nseq\r\n", argumentCount: 1)
            writer.write(entry.position.seq)
            writer.write(encoded: "$4\r\nkind\r\n", argumentCount: 1)
            writer.write(entry.kind.rawValue)
            Self.write("$3\r\ngap\r\n", gap, to: &writer)
            if entry.shed { writer.write(encoded: "$4\r\nshed\r\n$1\r\n1\r\n", argumentCount: 2) }
            Self.write("$3\r\ndid\r\n", entry.did, to: &writer)
            Self.write("$3\r\nrev\r\n", entry.rev, to: &writer)
            Self.write("$4\r\ntime\r\n", entry.time, to: &writer)
            if let buffer = item.frame, frameBytes > 0 {
                writer.write(encoded: "$5\r\nframe\r\n", argumentCount: 1)
                writer.write(shared: buffer)
            } else if !entry.frame.isEmpty {
                writer.write(encoded: "$5\r\nframe\r\n", argumentCount: 1)
                writer.write(entry.frame)
            }
        }
    }

    private static func write(_ name: StaticString, _ value: String, to writer: inout RedisBatch.Writer) {
        guard !value.isEmpty else { return }
        writer.write(encoded: name, argumentCount: 1)
        writer.write(value)
    }

    private mutating func head(of shard: Shard) -> ByteBuffer {
        if let head = heads[shard] { return head }
        let head = RedisBatch.encode { writer in
            writer.write(keys.work(topic, shard))
            writer.write("*" as StaticString)
        }
        heads[shard] = head
        return head
    }

    private mutating func startOrigin(_ entry: UpstreamEntry) {
        originHost = entry.host
        originSession = entry.session
        origin = RedisBatch.encode { writer in
            writer.write("host" as StaticString)
            writer.write(entry.host)
            writer.write("session" as StaticString)
            writer.write(entry.session)
            writer.write("n" as StaticString)
        }
    }
}

/// The shape of a work stream's entry in Redis: fields in the order of `UpstreamEntry.Field`, those without a value left out.
enum UpstreamEntryCodec {
    /// Reads the fields of an entry. Names that Weir does not know are passed over: a newer version may write them.
    static func decode(_ fields: [(name: String, value: ByteBuffer)]) throws(EntryProblem) -> UpstreamEntry {
        var found: [UpstreamEntry.Field: ByteBuffer] = [:]
        for (name, value) in fields {
            guard let field = UpstreamEntry.Field(rawValue: name) else { continue }
            guard found.updateValue(value, forKey: field) == nil else { throw EntryProblem("field \(name) twice") }
        }
        let kindText = try text(.kind, in: found, isRequired: true)
        guard let kind = UpstreamEntry.Kind(rawValue: kindText) else { throw EntryProblem("unknown kind \(kindText.excerpt(scalars: 40))") }
        let epoch = try number(.epoch, in: found)
        guard let epoch = Int32(exactly: epoch) else { throw EntryProblem("epoch \(epoch) is too large") }
        let seq = try number(.seq, in: found)
        guard seq <= 1 << 53 else { throw EntryProblem("seq \(seq) is too large") }
        return UpstreamEntry(
            host: try text(.host, in: found, isRequired: true), session: try number(.session, in: found), n: try number(.n, in: found),
            position: Position(epoch: epoch, seq: seq), kind: kind, gap: try gap(found), shed: try shed(found),
            did: try text(.did, in: found), rev: try text(.rev, in: found), time: try text(.time, in: found),
            frame: found[.frame].map { Array($0.readableBytesView) } ?? [])
    }

    private static func text(
        _ field: UpstreamEntry.Field, in found: [UpstreamEntry.Field: ByteBuffer], isRequired: Bool = false
    ) throws(EntryProblem) -> String {
        guard let buffer = found[field], buffer.readableBytes > 0 else {
            if isRequired { throw EntryProblem("no \(field.rawValue)") }
            return ""
        }
        guard let text = String(validating: buffer.readableBytesView, as: UTF8.self) else { throw EntryProblem("\(field.rawValue) is not UTF-8") }
        return text
    }

    private static func number(_ field: UpstreamEntry.Field, in found: [UpstreamEntry.Field: ByteBuffer]) throws(EntryProblem) -> Int64 {
        let text = try text(field, in: found, isRequired: true)
        guard let value = Int64(text), value >= 0 else { throw EntryProblem("\(field.rawValue) is no number from 0: \(text.excerpt(scalars: 40))") }
        return value
    }

    private static func shed(_ found: [UpstreamEntry.Field: ByteBuffer]) throws(EntryProblem) -> Bool {
        switch try text(.shed, in: found) {
        case "": false
        case "1": true
        default: throw EntryProblem("shed is not 1")
        }
    }

    private static func gap(_ found: [UpstreamEntry.Field: ByteBuffer]) throws(EntryProblem) -> UpstreamEntry.Gap? {
        let text = try text(.gap, in: found)
        if text.isEmpty { return nil }
        guard let dots = text.firstRange(of: ".."), let after = Position(text[..<dots.lowerBound]), let through = Position(text[dots.upperBound...])
        else { throw EntryProblem("gap is not of the form epoch:seq..epoch:seq") }
        return .init(after: after, through: through)
    }
}
