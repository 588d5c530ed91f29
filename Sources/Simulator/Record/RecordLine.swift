import ATProto

/// The lines of the record: JSON objects, one a line. No value of them needs escaping: DIDs, handles, revs, TIDs and names of our own.
enum RecordLine {
    /// `n` counts the events of the network from 1: within one DID it is the order that a log must have.
    static func event(_ event: NetworkEvent, n: Int, time: [UInt8]) -> [UInt8] {
        var line = "{\"n\":\(n),\"type\":\"\(type(of: event))\",\"did\":\"\(event.did)\",\"time\":\"\(String(decoding: time, as: UTF8.self))\""
        switch event.kind {
        case .commit, .sync, .forged:
            line += ",\"rev\":\"\(event.rev)\""
            line += ",\"since\":" + (event.since.map { "\"\($0)\"" } ?? "null")
            line += ",\"ops\":[" + event.operations.map(operation).joined(separator: ",") + "]"
        case .identity(let handle):
            if let handle { line += ",\"handle\":\"\(handle)\"" }
        case .account(let active, let status):
            line += ",\"active\":\(active)"
            if let status { line += ",\"status\":\"\(status)\"" }
        }
        if let fault = event.fault { line += ",\"fault\":\"\(fault.rawValue)\"" }
        return Array((line + "}\n").utf8)
    }

    /// A commit that one relay sent and that must be refused.
    static func refused(_ kind: FaultKind, relay: Int, seq: Int64, event: NetworkEvent) -> [UInt8] {
        let operations = event.operations.map(operation).joined(separator: ",")
        let line =
            "{\"type\":\"refused\",\"fault\":\"\(kind.rawValue)\",\"relay\":\(relay),\"seq\":\(seq),\"did\":\"\(event.did)\""
            + ",\"rev\":\"\(event.rev)\",\"ops\":[\(operations)]}\n"
        return Array(line.utf8)
    }

    /// A message that one relay no longer has, whoever read it before.
    static func forgotten(relay: Int, seq: Int64, event: NetworkEvent, time: [UInt8]) -> [UInt8] {
        let line =
            "{\"type\":\"forgotten\",\"relay\":\(relay),\"seq\":\(seq),\"of\":\"\(type(of: event))\",\"did\":\"\(event.did)\""
            + ",\"rev\":\"\(event.rev)\",\"time\":\"\(String(decoding: time, as: UTF8.self))\"}\n"
        return Array(line.utf8)
    }

    /// A host that turned back.
    static func forked(_ fork: NetworkFork) -> [UInt8] {
        let lost = fork.lost.map { "\"\($0)\"" }.joined(separator: ",")
        return Array("{\"type\":\"fork\",\"did\":\"\(fork.did)\",\"rev\":\"\(fork.rev)\",\"lost\":[\(lost)]}\n".utf8)
    }

    /// A label that a labeler sent and that must be refused.
    static func refused(_ label: SimulatedLabel, labeler: Int, seq: Int64) -> [UInt8] {
        Array(
            ("{\"type\":\"refused_label\",\"fault\":\"\(FaultKind.labelBadSignature.rawValue)\",\"labeler\":\(labeler),\"seq\":\(seq)"
                + ",\"src\":\"\(label.src)\",\"uri\":\"\(label.uri)\",\"val\":\"\(label.val)\"}\n").utf8)
    }

    /// The numbers that a labeler no longer has.
    static func forgotten(labeler: Int, first: Int64, last: Int64) -> [UInt8] {
        Array("{\"type\":\"forgotten_labels\",\"labeler\":\(labeler),\"first\":\(first),\"last\":\(last)}\n".utf8)
    }

    /// A frame of nobody's: to be refused where it is malformed or too large, to be ignored where it is unknown.
    static func injected(_ kind: FaultKind, relay: Int, seq: Int64) -> [UInt8] {
        let isUnknown = kind == .unknownOp || kind == .unknownType
        return Array(
            "{\"type\":\"\(isUnknown ? "ignored" : "refused")\",\"fault\":\"\(kind.rawValue)\",\"relay\":\(relay),\"seq\":\(seq)}\n".utf8)
    }

    private static func type(of event: NetworkEvent) -> String {
        switch event.kind {
        case .commit, .forged: "commit"
        case .sync: "sync"
        case .identity: "identity"
        case .account: "account"
        }
    }

    private static func operation(_ operation: RepositoryOperation) -> String {
        let cid = operation.cid.map { "\"\($0)\"" } ?? "null"
        return "{\"action\":\"\(operation.action.rawValue)\",\"collection\":\"\(operation.collection)\""
            + ",\"rkey\":\"\(operation.rkey)\",\"cid\":\(cid)}"
    }
}
