import Events
import NIOCore
import RedisClient

/// The shape of a backfill stream's entry in Redis: fields in the order of `SnapshotEntry.Field`, those without a value left out.
enum SnapshotEntryCodec {
    /// Adds `XADD key * …` to the batch.
    static func append(_ entry: SnapshotEntry, key: String, to batch: inout RedisBatch) {
        var arguments: [RedisArgument] = [.string(key), "*"]
        func add(_ field: SnapshotEntry.Field, _ text: String) {
            guard !text.isEmpty else { return }
            arguments += [.string(field.rawValue), .string(text)]
        }
        add(.did, entry.did)
        add(.attempt, "\(entry.attempt)")
        add(.n, "\(entry.n)")
        add(.kind, entry.kind.rawValue)
        add(.host, entry.host)
        add(.rev, entry.rev)
        add(.data, hex(entry.data))
        add(.fork, entry.isFork ? "1" : "")
        add(.after, entry.after)
        add(.through, entry.through)
        if entry.kind == .close || entry.kind == .whole { add(.count, "\(entry.count)") }
        add(.reason, entry.reason)
        let frame = entry.records.isEmpty ? nil : SnapshotRecords.encode(entry.records)
        batch.append("XADD", argumentCount: arguments.count + (frame == nil ? 0 : 2)) { writer in
            for argument in arguments { writer.write(argument) }
            if let frame {
                writer.write(SnapshotEntry.Field.frame.rawValue)
                writer.write(shared: frame)
            }
        }
    }

    /// Reads the fields of an entry. Names that Weir does not know are passed over: a newer version may write them.
    static func decode(_ fields: [(name: String, value: ByteBuffer)]) throws(EntryProblem) -> SnapshotEntry {
        var found: [SnapshotEntry.Field: ByteBuffer] = [:]
        for (name, value) in fields {
            guard let field = SnapshotEntry.Field(rawValue: name) else { continue }
            guard found.updateValue(value, forKey: field) == nil else { throw EntryProblem("field \(name) twice") }
        }
        let kindText = try text(.kind, found)
        guard let kind = SnapshotEntry.Kind(rawValue: kindText) else { throw EntryProblem("unknown kind \(kindText.excerpt(scalars: 40))") }
        let did = try text(.did, found)
        if did.isEmpty { throw EntryProblem("no did") }
        guard let data = bytes(hex: try text(.data, found)) else { throw EntryProblem("data is not hexadecimal") }
        var records: [SnapshotRecord] = []
        if let frame = found[.frame] { records = try SnapshotRecords.decode(frame) }
        let hasCount = kind == .close || kind == .whole
        return SnapshotEntry(
            did: did, attempt: try number(.attempt, found), n: try number(.n, found), kind: kind, host: try text(.host, found),
            rev: try text(.rev, found), data: data, isFork: try text(.fork, found) == "1", after: try text(.after, found),
            through: try text(.through, found), count: hasCount ? try number(.count, found) : 0, reason: try text(.reason, found), records: records)
    }

    private static func text(_ field: SnapshotEntry.Field, _ found: [SnapshotEntry.Field: ByteBuffer]) throws(EntryProblem) -> String {
        guard let buffer = found[field] else { return "" }
        guard let text = String(validating: buffer.readableBytesView, as: UTF8.self) else { throw EntryProblem("\(field.rawValue) is not UTF-8") }
        return text
    }

    private static func number(_ field: SnapshotEntry.Field, _ found: [SnapshotEntry.Field: ByteBuffer]) throws(EntryProblem) -> Int64 {
        let text = try text(field, found)
        guard let value = Int64(text), value >= 0 else { throw EntryProblem("\(field.rawValue) is no number from 0: \(text.excerpt(scalars: 40))") }
        return value
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func bytes(hex text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
