import Fleet

/// An event as `weir tail` prints it.
struct EventLine {
    /// True: the data as it came.
    var isPlain: Bool

    func text(_ event: EventStreamParser.Event) -> String {
        guard !isPlain, let tree = JSONTree(Array(event.data.utf8)) else { return event.data }
        func field(_ name: String) -> String { Terminal.safe(tree[name]?.text ?? "") }
        let seq = tree["seq"]?.integer.map { "\($0)" } ?? event.id
        let run = field("run")
        let kind = field("kind").isEmpty ? event.name : field("kind")
        if kind == "event" { return "\(run) \(seq.padded(to: 8)) \(application(tree))" }
        let action = field("action").isEmpty ? kind : field("action")
        let path = field("collection").isEmpty ? "" : "\(field("collection"))/\(field("rkey"))"
        let what = path.isEmpty ? label(tree["label"]) ?? Terminal.safe(event.data.prefix(80)) : path
        return "\(run) \(seq.padded(to: 8)) \(action.padded(to: 8)) \(field("did").padded(to: 32)) \(what)"
    }

    /// What an application appended: its type, its key with the key's sequence, and the beginning of its payload.
    private func application(_ tree: JSONTree) -> String {
        let key = tree["key"]?.text.map { "\($0)@\(tree["key_seq"]?.integer ?? 0)" } ?? ""
        let payload = tree["payload"]?.json ?? ""
        return Terminal.safe("\((tree["type"]?.text ?? "").padded(to: 24)) \(key.padded(to: 16)) \(payload.prefix(80))")
    }

    /// What a label says, of what: its subject's account stands in the line already.
    private func label(_ label: JSONTree?) -> String? {
        guard let label, let val = label["val"]?.text, let uri = label["uri"]?.text else { return nil }
        return Terminal.safe("\(label["neg"]?.flag == true ? "not " : "")\(val) \(uri)")
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { count >= width ? self : self + String(repeating: " ", count: width - count) }
}
