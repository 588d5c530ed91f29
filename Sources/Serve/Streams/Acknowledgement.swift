import ATProto

/// What a client says on a WebSocket: `{"ack": 12}`, or with a merged stream `{"ack": "<cursor>"}`. Everything up to there is done with.
enum Acknowledgement {
    /// The positions that it names, or why the stream ends.
    ///
    /// - Parameter delivered: where the client stands: what it has not got it cannot acknowledge.
    static func read(_ message: [UInt8], isMerged: Bool, delivered: [Int64]) -> Result<[Int64], Refusal> {
        let allowed = isMerged ? #"{"ack": "<id>"} is allowed"# : #"{"ack": <seq>} is allowed"#
        guard let value = try? JSONValue(parsing: message, valuesMax: 16), case .object(let fields) = value, fields.count == 1,
            fields[0].key == "ack"
        else { return .failure(Refusal(end: .badMessage(allowed))) }
        guard let positions = positions(fields[0].value, isMerged), positions.count == delivered.count, positions.allSatisfy({ $0 >= 0 }) else {
            return .failure(Refusal(end: .badMessage(allowed)))
        }
        guard zip(positions, delivered).allSatisfy({ $0 <= $1 }) else {
            return .failure(Refusal(end: StreamEnd(code: 1008, reason: "ack_ahead", detail: "at most what was sent is allowed")))
        }
        return .success(positions)
    }

    struct Refusal: Error, Hashable { var end: StreamEnd }

    private static func positions(_ value: JSONValue, _ isMerged: Bool) -> [Int64]? {
        if isMerged { return value.string.flatMap(MergedCursor.init)?.seqs }
        switch value {
        case .integer(let seq): return Int64(exactly: seq).map { [$0] }
        // Ids are texts, so a client may send one back as it is.
        case .string(let text): return Int64(text).map { [$0] }
        default: return nil
        }
    }
}
