import Events
import NIOCore
import RedisClient

/// The shape of an outlet's entry: the id is `<seq>-0`, the fields those of `LogEvent`, empty ones left out.
enum LogEventCodec {
    private enum Field: String { case kind, did, rev, collection, rkey, action, cid, live, host, time, mark, logged, body }

    /// Adds `XADD key <seq>-0 …` to the batch.
    static func append(_ event: LogEvent, key: String, to batch: inout RedisBatch) {
        let texts: [(Field, String)] = [
            (.kind, event.kind.rawValue), (.did, event.did), (.rev, event.rev), (.collection, event.collection), (.rkey, event.rkey),
            (.action, event.action?.rawValue ?? ""), (.cid, event.cid), (.live, event.live ? "1" : ""), (.host, event.host), (.time, event.time),
            (.mark, event.mark), (.logged, String(event.loggedAt.microseconds)),
        ]
        let present = texts.filter { !$0.1.isEmpty }
        batch.append("XADD", argumentCount: 2 + 2 * (present.count + (event.body.isEmpty ? 0 : 1))) { writer in
            writer.write(key)
            writer.write("\(event.seq)-0" as String)
            for (field, value) in present {
                writer.write(field.rawValue)
                writer.write(value)
            }
            if !event.body.isEmpty {
                writer.write(Field.body.rawValue)
                writer.write(event.body)
            }
        }
    }

    static func decode(run: RunID, id: EntryID, _ fields: [(name: String, value: ByteBuffer)]) throws(EntryProblem) -> LogEvent {
        guard id.sequence == 0, let seq = Int64(exactly: id.milliseconds) else { throw EntryProblem("the id \(id) is no seq") }
        var event: LogEvent?
        for (name, value) in fields where name == Field.kind.rawValue {
            let text = String(buffer: value)
            guard let kind = LogEvent.Kind(rawValue: text) else { throw EntryProblem("unknown kind \(text.excerpt(scalars: 40))") }
            event = LogEvent(run: run, seq: seq, kind: kind, did: "", live: false)
        }
        guard var event else { throw EntryProblem("no kind") }
        for (name, value) in fields {
            guard let field = Field(rawValue: name) else { continue }
            switch field {
            case .kind: break
            case .did: event.did = try text(value, field)
            case .rev: event.rev = try text(value, field)
            case .collection: event.collection = try text(value, field)
            case .rkey: event.rkey = try text(value, field)
            case .cid: event.cid = try text(value, field)
            case .host: event.host = try text(value, field)
            case .time: event.time = try text(value, field)
            case .mark: event.mark = try text(value, field)
            case .body: event.body = Array(value.readableBytesView)
            case .live:
                guard try text(value, field) == "1" else { throw EntryProblem("live is not 1") }
                event.live = true
            case .action:
                guard let action = LogEvent.Action(rawValue: try text(value, field)) else { throw EntryProblem("unknown action") }
                event.action = action
            case .logged:
                guard let microseconds = Int64(try text(value, field)) else { throw EntryProblem("logged is no number") }
                event.loggedAt = WallTime(microseconds: microseconds)
            }
        }
        return event
    }

    private static func text(_ buffer: ByteBuffer, _ field: Field) throws(EntryProblem) -> String {
        guard let text = String(validating: buffer.readableBytesView, as: UTF8.self) else { throw EntryProblem("\(field.rawValue) is not UTF-8") }
        return text
    }
}
