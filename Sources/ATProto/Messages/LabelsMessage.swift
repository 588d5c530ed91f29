/// A `#labels` of `com.atproto.label.subscribeLabels`: labels of one or of several sources, about any subjects.
public struct LabelsMessage: Hashable, Sendable {
    /// One label of a message. One that cannot be taken spoils itself only.
    public enum Item: Hashable, Sendable {
        case label(Label)
        /// What is wrong with it, the DID that its subject names where it names one, and its bytes (at most ``Limits/labelBytes``).
        case malformed(reason: FormatError, did: String?, encoded: [UInt8])

        /// The DID of the subject: which shard the label belongs to. Nil where there is none.
        public var did: String? {
            switch self {
            case .label(let label): Syntax.did(ofSubject: label.uri)
            case .malformed(_, let did, _): did
            }
        }
    }

    /// 1 to 2^53, numbered by the labeler.
    public var seq: Int64
    /// In their order, at most ``Limits/labels``.
    public var labels: [Item]

    public init(seq: Int64, labels: [Label]) {
        self.seq = seq
        self.labels = labels.map(Item.label)
    }

    private init(seq: Int64, items: [Item]) {
        self.seq = seq
        labels = items
    }

    /// Reads a frame that holds a `#labels`; throws as ``StreamMessage/init(frame:)``, and `message` where it is another one.
    public init(frame: [UInt8]) throws(FormatError) {
        guard case .labels(let message) = try StreamMessage(frame: frame) else { throw FormatError(.message, "not a #labels") }
        self = message
    }

    /// Reads the body; `reader` stands at it. Throws where the message as a whole cannot be read.
    init(_ reader: inout CBORReader) throws(FormatError) {
        var seq: Int64?
        var items: [Item]?
        var order = CBORKeyOrder()
        for _ in 0..<(try reader.mapCount()) {
            let key = try reader.key(&order)
            if reader.equals(key, "seq") {
                seq = try reader.integer()
            } else if reader.equals(key, "labels") {
                items = try Self.items(&reader)
            } else {
                try reader.skip()
            }
        }
        guard reader.isAtEnd else { throw FormatError(.message, "bytes after the body", offset: reader.offset) }
        guard let seq, (1...Limits.sequence).contains(seq) else { throw FormatError(.message, "no seq of 1 to 2^53") }
        guard let items else { throw FormatError(.message, "no labels") }
        self.init(seq: seq, items: items)
    }

    private static func items(_ reader: inout CBORReader) throws(FormatError) -> [Item] {
        let count = try reader.arrayCount()
        guard count <= Limits.labels else { throw FormatError(.tooLarge, "more than \(Limits.labels) labels", offset: reader.offset) }
        var items: [Item] = []
        items.reserveCapacity(count)
        for _ in 0..<count {
            let start = reader.offset
            // Strict about the bytes of each: only then is it known where the next begins.
            try reader.skip()
            items.append(item(reader.array(start..<min(reader.offset, start + Limits.labelBytes + 1))))
        }
        return items
    }

    private static func item(_ bytes: [UInt8]) -> Item {
        do throws(FormatError) {
            return .label(try Label(bytes))
        } catch {
            let fields = try? reading(bytes) { reader throws(FormatError) in try LabelFields(&reader) }
            let did = fields?.text["uri"].flatMap { Syntax.did(ofSubject: $0) }
            return .malformed(reason: error, did: did, encoded: Array(bytes.prefix(Limits.labelBytes)))
        }
    }

    /// The message as a labeler sends it.
    public func frame() -> [UInt8] {
        var writer = CBORWriter(capacity: 256 + labels.count * 256)
        FrameHeader.write("#labels", into: &writer)
        writer.map(count: 2)
        writer.text("seq")
        writer.integer(seq)
        writer.text("labels")
        writer.array(count: labels.count)
        for item in labels {
            switch item {
            case .label(let label): writer.encoded(label.encoded)
            case .malformed(_, _, let encoded): writer.encoded(encoded)
            }
        }
        return writer.bytes
    }
}
