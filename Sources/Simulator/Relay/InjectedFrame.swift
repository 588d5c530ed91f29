import ATProto

/// Frames that a relay makes up. They stand in its stream under a number and belong to no account.
enum InjectedFrame {
    static let oversizeBytes = 6_000_000

    static func bytes(_ kind: FaultKind, seq: Int64, time: [UInt8]) -> [UInt8] {
        switch kind {
        case .unknownOp: message(op: 7, type: "#commit", seq: seq, time: time)
        case .unknownType: message(op: 1, type: "#weather", seq: seq, time: time)
        case .oversizeFrame: oversize(seq: seq, time: time)
        default: malformed(seq: seq)
        }
    }

    private static func header(op: Int64, type: String, into cbor: inout CBORWriter) {
        cbor.map(count: 2)
        cbor.text("t")
        cbor.text(type)
        cbor.text("op")
        cbor.integer(op)
    }

    private static func message(op: Int64, type: String, seq: Int64, time: [UInt8]) -> [UInt8] {
        var cbor = CBORWriter()
        header(op: op, type: type, into: &cbor)
        cbor.map(count: 3)
        cbor.text("seq")
        cbor.integer(seq)
        cbor.text("time")
        cbor.text(String(decoding: time, as: UTF8.self))
        cbor.text("forecast")
        cbor.text("rain")
        return cbor.bytes
    }

    /// By turns: no CBOR at all, a header without a body, a body cut short.
    private static func malformed(seq: Int64) -> [UInt8] {
        var cbor = CBORWriter()
        switch seq % 3 {
        case 0: return [UInt8](repeating: 0xff, count: 33)
        case 1: header(op: 1, type: "#commit", into: &cbor)
        default:
            header(op: 1, type: "#commit", into: &cbor)
            cbor.map(count: 12)
            cbor.text("seq")
            cbor.integer(seq)
        }
        return cbor.bytes
    }

    private static func oversize(seq: Int64, time: [UInt8]) -> [UInt8] {
        var cbor = CBORWriter(capacity: oversizeBytes + 256)
        header(op: 1, type: "#sync", into: &cbor)
        cbor.map(count: 5)
        cbor.text("did")
        cbor.text("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
        cbor.text("rev")
        cbor.text("3aaaaaaaaaaa2")
        cbor.text("seq")
        cbor.integer(seq)
        cbor.text("time")
        cbor.text(String(decoding: time, as: UTF8.self))
        cbor.text("blocks")
        cbor.byteString([UInt8](repeating: 0, count: oversizeBytes))
        return cbor.bytes
    }
}
