/// The first of the two objects of a frame, `{op, t}`.
struct FrameHeader {
    /// 1 for a message, −1 for an error; others are to be ignored.
    var op: Int64
    /// Of the type, with its `#`; nil where there is none.
    var type: Range<Int>?

    static func write(_ type: String, into writer: inout CBORWriter) {
        writer.map(count: 2)
        writer.text("t")
        writer.text(type)
        writer.text("op")
        writer.integer(1)
    }

    static func writeError(into writer: inout CBORWriter) {
        writer.map(count: 1)
        writer.text("op")
        writer.integer(-1)
    }

    /// Reads the header and leaves the reader at the body. Order of keys is not asked for: only the full message is strict.
    init(_ reader: inout CBORReader) throws(FormatError) {
        var op: Int64?
        for _ in 0..<(try reader.mapCount()) {
            let key = try reader.text()
            if reader.equals(key, "op") {
                op = try reader.integer()
            } else if reader.equals(key, "t"), try reader.kind() == .text {
                type = try reader.text()
            } else {
                try reader.skip()
            }
        }
        guard let op else { throw FormatError(.message, "a header without op") }
        self.op = op
    }
}
