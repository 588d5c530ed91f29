/// Turns DAG-CBOR into JSON while it reads it.
struct DAGJSONWriter {
    private var reader: CBORReader

    private static let hexadecimal: StaticString = "0123456789abcdef"

    init(_ reader: CBORReader) { self.reader = reader }

    mutating func record(into json: inout JSONOutput) throws(FormatError) {
        guard try reader.kind() == .map else { throw FormatError(.dataModel, "a record that is no map", offset: reader.offset) }
        try map(into: &json, nesting: Limits.nesting)
        guard reader.isAtEnd else { throw reader.failure("bytes after the record") }
    }

    private mutating func value(into json: inout JSONOutput, nesting: Int) throws(FormatError) {
        guard nesting > 0 else { throw reader.failure("nested too deeply") }
        switch try reader.kind() {
        case .text: string(try reader.text(), into: &json)
        case .map: try map(into: &json, nesting: nesting)
        case .array: try array(into: &json, nesting: nesting)
        case .integer: json.integer(try reader.integer())
        case .bool: json.ascii(try reader.bool() ? "true" : "false")
        case .null:
            try reader.null()
            json.ascii("null")
        case .link:
            guard nesting > 1 else { throw reader.failure("nested too deeply") }
            try link(into: &json)
        case .bytes:
            guard nesting > 1 else { throw reader.failure("nested too deeply") }
            json.ascii("{\"$bytes\":\"")
            json.base64(reader.bytes(try reader.byteString()))
            json.ascii("\"}")
        case .float: throw FormatError(.dataModel, "a float", offset: reader.offset)
        }
    }

    private mutating func array(into json: inout JSONOutput, nesting: Int) throws(FormatError) {
        json.character("[")
        for index in 0..<(try reader.arrayCount()) {
            if index > 0 { json.character(",") }
            try value(into: &json, nesting: nesting - 1)
        }
        json.character("]")
    }

    private mutating func map(into json: inout JSONOutput, nesting: Int) throws(FormatError) {
        let start = reader.offset
        json.character("{")
        var order = CBORKeyOrder()
        var blob = BlobCheck()
        for index in 0..<(try reader.mapCount()) {
            if index > 0 { json.character(",") }
            let key = try reader.key(&order)
            try blob.see(key, &reader)
            string(key, into: &json)
            json.character(":")
            try value(into: &json, nesting: nesting - 1)
        }
        json.character("}")
        guard blob.isValid else { throw FormatError(.dataModel, "a blob without its ref, mimeType or size", offset: start) }
    }

    /// The keys of one map that the data model gives a meaning.
    private struct BlobCheck {
        private var isBlob = false
        private var fields = 0

        var isValid: Bool { !isBlob || fields == 3 }

        /// Looks at a key and at the kind of its value, which the reader stands at.
        @inline(__always)
        mutating func see(_ key: Range<Int>, _ reader: inout CBORReader) throws(FormatError) {
            switch key.count {
            case 3: if reader.equals(key, "ref"), try reader.kind() == .link { fields += 1 }
            case 4: if reader.equals(key, "size"), try reader.kind() == .integer { fields += 1 }
            case 8: if reader.equals(key, "mimeType"), try reader.kind() == .text { fields += 1 }
            case 5:
                if reader.equals(key, "$link") { throw FormatError(.dataModel, "a key $link", offset: key.lowerBound) }
                guard reader.equals(key, "$type") else { return }
                guard try reader.kind() == .text else { throw FormatError(.dataModel, "a $type that is no name", offset: key.lowerBound) }
                var ahead = reader
                let name = try ahead.text()
                guard !name.isEmpty else { throw FormatError(.dataModel, "a $type that is no name", offset: key.lowerBound) }
                isBlob = reader.equals(name, "blob")
            case 6: if reader.equals(key, "$bytes") { throw FormatError(.dataModel, "a key $bytes", offset: key.lowerBound) }
            default: break
            }
        }
    }

    private mutating func link(into json: inout JSONOutput) throws(FormatError) {
        let range = try reader.linkBytes()
        // Records may link to what is no part of a repository, under other hashes: these are kept as they are.
        guard range.count >= 4, range.count <= 128, reader.buffer[range.lowerBound] == 1 else {
            throw FormatError(.cid, "a link that is no CIDv1", offset: range.lowerBound)
        }
        json.ascii("{\"$link\":\"b")
        json.base32(reader.bytes(range))
        json.ascii("\"}")
    }

    /// Writes text that was checked to be UTF-8, escaping what JSON asks for.
    private func string(_ range: Range<Int>, into json: inout JSONOutput) {
        json.character("\"")
        var start = range.lowerBound
        while true {
            let end = JSONEscape.first(in: reader.buffer, start..<range.upperBound)
            json.copy(reader.bytes(start..<end))
            guard end < range.upperBound else { break }
            Self.escape(reader.buffer[end], into: &json)
            start = end + 1
        }
        json.character("\"")
    }

    private static func escape(_ byte: UInt8, into json: inout JSONOutput) {
        json.character("\\")
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): json.byte(byte)
        case 0x0a: json.character("n")
        case 0x0d: json.character("r")
        case 0x09: json.character("t")
        default:
            json.ascii("u00")
            json.byte(hexadecimal.utf8Start[Int(byte >> 4)])
            json.byte(hexadecimal.utf8Start[Int(byte & 15)])
        }
    }
}

/// Finds what a JSON string may not hold as it is: quotation marks, reverse solidi, and what is below U+0020.
enum JSONEscape {
    /// The first such byte in a range that lies in the buffer, or the range's end.
    @inline(__always)
    static func first(in buffer: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
        var index = range.lowerBound
        let end = range.upperBound
        while end - index >= 8 {
            // Eight bytes at a time: in each expression the top bit of a byte is set where the byte is one of them.
            let word = buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let quote = word ^ 0x2222_2222_2222_2222
            let solidus = word ^ 0x5c5c_5c5c_5c5c_5c5c
            let control = (word &- 0x2020_2020_2020_2020) & ~word
            let marks = (quote &- 0x0101_0101_0101_0101) & ~quote | (solidus &- 0x0101_0101_0101_0101) & ~solidus
            if (control | marks) & 0x8080_8080_8080_8080 != 0 { break }
            index += 8
        }
        while index < end {
            let byte = buffer[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return index }
            index += 1
        }
        return end
    }
}
