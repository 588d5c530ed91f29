import ATProto
import Broker
import Events

/// One entry of a stream as lines of text or as JSON: its fields, and the frame decoded.
struct EntryReport {
    private let entry: StreamEntry

    init(_ entry: StreamEntry) { self.entry = entry }

    func lines() -> [String] {
        var lines = [Terminal.bold("\(entry.id)")]
        for field in entry.fields where field.name != "frame" {
            lines.append("  \(Terminal.safe(field.name)): \(Self.text(field.value).map { Terminal.safe($0) } ?? "\(field.value.count) bytes")")
        }
        guard let frame else { return lines }
        lines.append("  frame: \(frame.count) bytes")
        return lines + Self.frameLines(frame).map { "    \($0)" }
    }

    func json() -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("id", "\(entry.id)")
        for field in entry.fields where field.name != "frame" {
            writer.key(dynamic: field.name)
            if let text = Self.text(field.value) { writer.value(text) } else { writer.null() }
        }
        if let frame {
            writer.member("frame_bytes", frame.count)
            writer.key("frame")
            writer.beginArray()
            for line in Self.frameLines(frame) { writer.value(line) }
            writer.endArray()
        }
        writer.endObject()
        return String(decoding: writer.take(), as: UTF8.self)
    }

    private var frame: [UInt8]? { entry.fields.last { $0.name == "frame" }?.value }

    private static func line(_ item: LabelsMessage.Item) -> String {
        switch item {
        case .label(let label):
            let ends = label.exp.map { " until \(Terminal.safe($0))" } ?? ""
            let version = label.cid.map { " at \(Terminal.safe($0))" } ?? ""
            return "\(label.neg ? "not " : "")\(Terminal.safe(label.val)) on \(Terminal.safe(label.uri))\(version) by \(Terminal.safe(label.src)), "
                + "\(Terminal.safe(label.cts))\(ends), \(label.signature == nil ? "unsigned" : "signed")"
        case .malformed(let reason, _, let encoded):
            return "a label of \(encoded.count) bytes that cannot be read: \(Terminal.safe(reason.description))"
        }
    }

    private static func text(_ bytes: [UInt8]) -> String? { String(validating: bytes, as: UTF8.self) }

    /// What the frame says; where it cannot be read, why.
    private static func frameLines(_ frame: [UInt8]) -> [String] {
        do {
            switch try StreamMessage(frame: frame) {
            case .commit(let commit):
                var lines = [
                    "#commit seq \(commit.seq) of \(Terminal.safe(commit.repo))", "rev \(commit.rev) since \(commit.since ?? "nothing")",
                    "commit \(commit.commit)", "prevData \(commit.prevData.map { "\($0)" } ?? "none")", "blocks \(commit.blocks.count) bytes",
                ]
                if commit.tooBig { lines.append("tooBig") }
                for operation in commit.ops {
                    let before = operation.prev.map { ", before \($0)" } ?? ""
                    lines.append("\(operation.action.rawValue) \(Terminal.safe(operation.path)) \(operation.cid.map { "\($0)" } ?? "")\(before)")
                }
                return lines
            case .sync(let sync): return ["#sync seq \(sync.seq) of \(Terminal.safe(sync.did))", "rev \(sync.rev)"]
            case .identity(let identity):
                return ["#identity seq \(identity.seq) of \(Terminal.safe(identity.did))", "handle \(Terminal.safe(identity.handle ?? "not given"))"]
            case .account(let account):
                let status = account.status.map { ", \(Terminal.safe($0))" } ?? ""
                return ["#account seq \(account.seq) of \(Terminal.safe(account.did))", account.active ? "active" : "not active\(status)"]
            case .labels(let labels):
                return ["#labels seq \(labels.seq), \(labels.labels.count) labels"] + labels.labels.map(Self.line)
            case .info(let info): return ["#info \(Terminal.safe(info.name)) \(Terminal.safe(info.message ?? ""))"]
            case .error(let error): return ["error \(Terminal.safe(error.error)) \(Terminal.safe(error.message ?? ""))"]
            case .unknown(let op, let type): return ["op \(op), type \(Terminal.safe(type)): unknown, to be ignored"]
            }
        } catch {
            return ["cannot be read: \(Terminal.safe(error.description))"]
        }
    }
}
