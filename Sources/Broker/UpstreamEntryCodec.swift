import Events
import NIOCore
import RedisClient

/// The shape of a work stream's entry in Redis: fields in the order of `UpstreamEntry.Field`, those without a value left out.
enum UpstreamEntryCodec {
    /// Adds `XADD key * …` to the batch. The frame of `item` is copied once, into the batch.
    static func append(_ item: AppendItem, key: String, to batch: inout RedisBatch) {
        let entry = item.entry
        let frame = item.frame?.readableBytes ?? 0
        let gap = entry.gap.map { "\($0.after)..\($0.through)" } ?? ""
        let texts: [(UpstreamEntry.Field, String)] = [
            (.gap, gap), (.shed, entry.shed ? "1" : ""), (.did, entry.did), (.rev, entry.rev), (.time, entry.time),
        ]
        let optional = texts.filter { !$0.1.isEmpty }
        batch.append("XADD", argumentCount: 2 + 2 * (6 + optional.count + (frame > 0 || !entry.frame.isEmpty ? 1 : 0))) { writer in
            writer.write(key)
            writer.write("*" as StaticString)
            writer.write("host" as StaticString)
            writer.write(entry.host)
            writer.write("session" as StaticString)
            writer.write(entry.session)
            writer.write("n" as StaticString)
            writer.write(entry.n)
            writer.write("epoch" as StaticString)
            writer.write(entry.position.epoch)
            writer.write("seq" as StaticString)
            writer.write(entry.position.seq)
            writer.write("kind" as StaticString)
            writer.write(entry.kind.rawValue)
            for (field, value) in optional {
                writer.write(field.rawValue)
                writer.write(value)
            }
            if let buffer = item.frame, frame > 0 {
                writer.write("frame" as StaticString)
                writer.write(buffer)
            } else if !entry.frame.isEmpty {
                writer.write("frame" as StaticString)
                writer.write(entry.frame)
            }
        }
    }

    /// Reads the fields of an entry. Names that Weir does not know are passed over: a newer version may write them.
    static func decode(_ fields: [(name: String, value: ByteBuffer)]) throws(EntryProblem) -> UpstreamEntry {
        var found: [UpstreamEntry.Field: ByteBuffer] = [:]
        for (name, value) in fields {
            guard let field = UpstreamEntry.Field(rawValue: name) else { continue }
            guard found.updateValue(value, forKey: field) == nil else { throw EntryProblem("field \(name) twice") }
        }
        let kindText = try text(.kind, in: found, isRequired: true)
        guard let kind = UpstreamEntry.Kind(rawValue: kindText) else { throw EntryProblem("unknown kind \(kindText.prefix(40))") }
        let epoch = try number(.epoch, in: found)
        guard let epoch = Int32(exactly: epoch) else { throw EntryProblem("epoch \(epoch) is too large") }
        return UpstreamEntry(
            host: try text(.host, in: found, isRequired: true), session: try number(.session, in: found), n: try number(.n, in: found),
            position: Position(epoch: epoch, seq: try number(.seq, in: found)), kind: kind, gap: try gap(found), shed: try shed(found),
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
        guard let value = Int64(text), value >= 0 else { throw EntryProblem("\(field.rawValue) is no number from 0: \(text.prefix(40))") }
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
