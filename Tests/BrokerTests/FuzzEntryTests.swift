import Events
import NIOCore
import RedisClient
import TestSupport
import Testing

@testable import Broker

/// What stands in Redis was written by Weir, but others can write there too.
@Suite("Strangers' stream entries")
struct FuzzEntryTests {
    private typealias Fields = [(name: String, value: ByteBuffer)]

    /// A list of byte strings as one input: each behind its length in two bytes. Odd ones out are cut, so every input is some list.
    private func pack(_ parts: [[UInt8]]) -> [UInt8] {
        parts.flatMap { [UInt8(truncatingIfNeeded: $0.count >> 8), UInt8(truncatingIfNeeded: $0.count)] + $0 }
    }

    private func unpack(_ bytes: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var rest = bytes[...]
        while rest.count >= 2 {
            let count = min(Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1]), rest.count - 2)
            parts.append(Array(rest.dropFirst(2).prefix(count)))
            rest = rest.dropFirst(2 + count)
        }
        return parts
    }

    private func fields(_ bytes: [UInt8]) -> Fields {
        let parts = unpack(bytes)
        return stride(from: 0, to: parts.count - 1, by: 2).map { (String(decoding: parts[$0], as: UTF8.self), ByteBuffer(bytes: parts[$0 + 1])) }
    }

    /// What a batch of one XADD would store: names and values behind key and id.
    private func stored(_ batch: RedisBatch) -> Fields {
        var buffer = batch.buffer
        var parts: [ByteBuffer] = []
        while let line = line(&buffer) {
            guard line.hasPrefix("$"), let count = Int(line.dropFirst()), let value = buffer.readSlice(length: count) else { continue }
            buffer.moveReaderIndex(forwardBy: 2)
            parts.append(value)
        }
        let values = parts.dropFirst(3).map { $0 }
        return stride(from: 0, to: values.count - 1, by: 2).map { (String(buffer: values[$0]), values[$0 + 1]) }
    }

    private func line(_ buffer: inout ByteBuffer) -> String? {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        return buffer.readBytes(length: end - buffer.readerIndex + 1).map { String(decoding: $0.dropLast(2), as: UTF8.self) }
    }

    private func tokens(_ names: [String]) -> [[UInt8]] {
        let values = [
            "0", "1", "-1", "9223372036854775807", "9223372036854775808", "2147483648", "1:2..1:9", "1:2", "..", "barrier", "open", "commit", "x",
        ]
        return (names + values).map { pack([Array($0.utf8)]) } + FuzzTokens.text
    }

    @Test("an upstream's entry decodes or says why not, and what decodes is written as it was")
    func upstreamEntries() throws {
        let gap = UpstreamEntry.Gap(after: Position(epoch: 0, seq: 3), through: Position(epoch: 1, seq: 9))
        let entries = [
            UpstreamEntry(host: "relay", session: 3, n: 0, position: Position(epoch: 1, seq: 9), kind: .open, gap: gap),
            UpstreamEntry(
                host: "relay:80", session: 3, n: 7, position: Position(epoch: 1, seq: 12), kind: .commit, did: "did:plc:a", rev: "3k", time: "t",
                frame: [1, 2, 3]),
            UpstreamEntry(host: "r", session: .max, n: .max, position: Position(epoch: .max, seq: 1 << 53), kind: .barrier, shed: true),
        ]
        let corpus = entries.map { entry in
            var batch = RedisBatch()
            var codec = UpstreamEntryEncoder(keys: StreamKeys(), topic: .firehose, shards: ShardMap(count: 1))
            codec.append(AppendItem(shard: 0, entry: entry), to: &batch)
            return pack(stored(batch).flatMap { [Array($0.name.utf8), Array($0.value.readableBytesView)] })
        }
        for (entry, bytes) in zip(entries, corpus) { #expect(try UpstreamEntryCodec.decode(fields(bytes)) == entry) }
        let mutator = ByteMutator(corpus: corpus, tokens: tokens(UpstreamEntry.Field.allCases.map(\.rawValue)), bytesMax: 8_192)
        try FuzzRun("upstream entries", inputs: 12_000)(mutator) { bytes in
            guard let entry = try? UpstreamEntryCodec.decode(fields(bytes)) else { return .refused }
            guard entry.n >= 0, entry.session >= 0, entry.position.seq >= 0, entry.position.epoch >= 0 else { return .broken("below 0: \(entry)") }
            var batch = RedisBatch()
            var codec = UpstreamEntryEncoder(keys: StreamKeys(), topic: .firehose, shards: ShardMap(count: 1))
            codec.append(AppendItem(shard: 0, entry: entry), to: &batch)
            guard let again = try? UpstreamEntryCodec.decode(stored(batch)), again == entry else { return .broken("does not come back: \(entry)") }
            return .accepted
        }
    }

    @Test("an outlet's entry decodes or says why not, and what decodes is written as it was")
    func outletEntries() throws {
        let run = RunID.firehose(3)
        let event = LogEvent(
            run: run, seq: 5, kind: .record, did: "did:plc:a", rev: "3k", collection: "a.b.c", rkey: "x", action: .create, cid: "b", host: "h",
            time: "t", mark: "chain", loggedAt: WallTime(microseconds: 9), body: Array("{}".utf8))
        let corpus = [event, LogEvent(run: run, seq: 6, kind: .terminal, did: "", live: false)].map { event in
            var batch = RedisBatch()
            LogEventCodec.append(event, key: "k", to: &batch)
            return pack(stored(batch).flatMap { [Array($0.name.utf8), Array($0.value.readableBytesView)] })
        }
        let names = ["kind", "did", "rev", "collection", "action", "live", "logged", "body", "record", "create", "terminal"]
        try FuzzRun("outlet entries", inputs: 12_000)(ByteMutator(corpus: corpus, tokens: tokens(names), bytesMax: 8_192)) { bytes in
            guard let event = try? LogEventCodec.decode(run: run, id: EntryID(milliseconds: 5, sequence: 0), fields(bytes)) else { return .refused }
            var batch = RedisBatch()
            LogEventCodec.append(event, key: "k", to: &batch)
            guard let again = try? LogEventCodec.decode(run: run, id: EntryID(milliseconds: 5, sequence: 0), stored(batch)), again == event else {
                return .broken("does not come back: \(event)")
            }
            return .accepted
        }
    }

    @Test("ids, positions and cursor hints: what reads writes itself so that it reads as the same")
    func texts() throws {
        let corpus = ["1526919030474-55", "0-0", "18446744073709551615-18446744073709551615", "3/1:44", "1:9007199254740992", "7"]
        let mutator = ByteMutator(corpus: corpus.map { Array($0.utf8) }, tokens: FuzzTokens.text, bytesMax: 256)
        try FuzzRun("ids and hints", inputs: 15_000)(mutator) { bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else { return .refused }
            let (id, position, hint) = (EntryID(text), Position(text), CursorHint(text: text))
            if let id, EntryID(id.description) != id { return .broken("id \(id)") }
            if let position, Position(position.description) != position || position.seq < 0 { return .broken("position \(position)") }
            if let hint, CursorHint(text: hint.text) != hint { return .broken("hint \(hint)") }
            return id == nil && position == nil && hint == nil ? .refused : .accepted
        }
    }

    @Test("a reply of another shape than XREAD's is an error")
    func replies() throws {
        let entry = RedisValue.array([
            .bulk(ByteBuffer(string: "1-1")), .array([.bulk(ByteBuffer(string: "kind")), .bulk(ByteBuffer(string: "open"))]),
        ])
        let whole = RedisValue.array([.array([.bulk(ByteBuffer(string: "key")), .array([entry, entry])])])
        try FuzzRun("replies", inputs: 8_000)(generate: { random in (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) } }) { bytes in
            var choices = bytes[...]
            let value = Self.changed(whole, &choices)
            guard let streams = try? RawEntry.streams(value) else { return .refused }
            for entry in streams.flatMap(\.entries) { _ = try? entry.pairs() }
            return .accepted
        }
    }

    /// The value with parts left out, repeated or of another kind, as the choices say.
    private static func changed(_ value: RedisValue, _ choices: inout ArraySlice<UInt8>) -> RedisValue {
        guard let choice = choices.popFirst() else { return value }
        switch (choice % 12, value) {
        case (0, _): return .null
        case (1, _): return .integer(-1)
        case (2, _): return .simple("")
        case (3, _): return .bulk(ByteBuffer(bytes: [0xff, 0x2d]))
        case (4, .array(let values)): return .array(values.dropLast())
        case (5, .array(let values)): return .array(values + values)
        case (_, .array(var values)) where !values.isEmpty:
            let index = Int(choice) % values.count
            values[index] = changed(values[index], &choices)
            return .array(values)
        default: return value
        }
    }
}
