import ATProto

/// A `#labels` message on its way to its labeler's stream, which gives it a number.
final class LabelsMessage: Sendable {
    /// In the order of the frame.
    let labels: [SimulatedLabel]
    /// Of ``labels`` those that nobody may accept, by their places.
    let refused: [Int]

    init(labels: [SimulatedLabel], refused: [Int]) {
        self.labels = labels
        self.refused = refused
    }

    /// The frame: header `{t, op}`, body `{seq, labels}`.
    func frame(seq: Int64) -> [UInt8] {
        var cbor = CBORWriter(capacity: 64 + labels.count * 320)
        cbor.map(count: 2)
        cbor.text("t")
        cbor.text("#labels")
        cbor.text("op")
        cbor.integer(1)
        cbor.map(count: 2)
        cbor.text("seq")
        cbor.integer(seq)
        cbor.text("labels")
        cbor.array(count: labels.count)
        for label in labels { label.encode(into: &cbor) }
        return cbor.bytes
    }
}
