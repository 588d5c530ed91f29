/// The fields of a label while it is read, and where each of them stands.
struct LabelFields {
    var ver: Int64?
    var neg: Bool?
    var signature: [UInt8]?
    var text: [String: String] = [:]
    private var count = 0
    private var bodyStart = 0
    private var places: [(name: String, range: Range<Int>)] = []

    private static let texts: Set<String> = ["src", "uri", "cid", "val", "cts", "exp"]

    /// Reads the map at the reader's place, in canonical order.
    init(_ reader: inout CBORReader) throws(FormatError) {
        count = try reader.mapCount()
        bodyStart = reader.offset
        var order = CBORKeyOrder()
        for _ in 0..<count {
            let start = reader.offset
            let key = try reader.key(&order)
            // All names that are known have three letters; what a stranger writes besides is not made into strings.
            guard key.count == 3 else {
                try reader.skip()
                continue
            }
            let name = reader.string(key)
            if reader.nullIfPresent() { continue }
            if Self.texts.contains(name) {
                text[name] = reader.string(try reader.text())
            } else if name == "ver" {
                ver = try reader.integer()
            } else if name == "neg" {
                neg = try reader.bool()
            } else if name == "sig" {
                signature = reader.array(try reader.byteString())
            } else {
                try reader.skip()
            }
            places.append((name, start..<reader.offset))
        }
    }

    /// The map without some of its fields. It was canonical, so what is left of it is.
    func leaving(out names: Set<String>, of bytes: [UInt8]) -> [UInt8] {
        let left = places.filter { names.contains($0.name) }
        var writer = CBORWriter(capacity: bytes.count)
        writer.map(count: count - left.count)
        var start = bodyStart
        for place in left {
            writer.encoded(bytes[start..<place.range.lowerBound])
            start = place.range.upperBound
        }
        writer.encoded(bytes[start...])
        return writer.bytes
    }
}
