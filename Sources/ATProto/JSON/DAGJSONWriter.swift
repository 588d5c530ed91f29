/// Turns DAG-CBOR into JSON while it reads it.
struct DAGJSONWriter {
    private var reader: CBORReader

    private static let hexadecimal: StaticString = "0123456789abcdef"

    init(_ reader: CBORReader) { self.reader = reader }

    mutating func record(into json: inout [UInt8]) throws(FormatError) {
        guard try reader.kind() == .map else { throw FormatError(.dataModel, "a record that is no map", offset: reader.offset) }
        try map(into: &json, nesting: Limits.nesting)
        guard reader.isAtEnd else { throw reader.failure("bytes after the record") }
    }

    private mutating func value(into json: inout [UInt8], nesting: Int) throws(FormatError) {
        switch try reader.kind() {
        case .text: string(try reader.text(), into: &json)
        case .map: try map(into: &json, nesting: nesting - 1)
        case .array: try array(into: &json, nesting: nesting - 1)
        case .integer: Self.integer(try reader.integer(), into: &json)
        case .bool: Self.ascii(try reader.bool() ? "true" : "false", into: &json)
        case .null:
            try reader.null()
            Self.ascii("null", into: &json)
        case .link: try link(into: &json)
        case .bytes:
            Self.ascii("{\"$bytes\":\"", into: &json)
            Base64.encode(UnsafeRawBufferPointer(rebasing: reader.buffer[try reader.byteString()]), into: &json)
            Self.ascii("\"}", into: &json)
        case .float: throw FormatError(.dataModel, "a float", offset: reader.offset)
        }
    }

    private mutating func array(into json: inout [UInt8], nesting: Int) throws(FormatError) {
        guard nesting > 0 else { throw reader.failure("nested too deeply") }
        json.append(UInt8(ascii: "["))
        for index in 0..<(try reader.arrayCount()) {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            try value(into: &json, nesting: nesting)
        }
        json.append(UInt8(ascii: "]"))
    }

    private mutating func map(into json: inout [UInt8], nesting: Int) throws(FormatError) {
        guard nesting > 0 else { throw reader.failure("nested too deeply") }
        let start = reader.offset
        json.append(UInt8(ascii: "{"))
        var order = CBORKeyOrder()
        var blob = BlobCheck()
        for index in 0..<(try reader.mapCount()) {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            let key = try reader.key(&order)
            try blob.see(key, &reader)
            string(key, into: &json)
            json.append(UInt8(ascii: ":"))
            try value(into: &json, nesting: nesting)
        }
        json.append(UInt8(ascii: "}"))
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

    private mutating func link(into json: inout [UInt8]) throws(FormatError) {
        let range = try reader.linkBytes()
        // Records may link to what is no part of a repository, under other hashes: these are kept as they are.
        guard range.count >= 4, range.count <= 128, reader.buffer[range.lowerBound] == 1 else {
            throw FormatError(.cid, "a link that is no CIDv1", offset: range.lowerBound)
        }
        Self.ascii("{\"$link\":\"b", into: &json)
        Base32.encode(UnsafeRawBufferPointer(rebasing: reader.buffer[range]), into: &json)
        Self.ascii("\"}", into: &json)
    }

    /// Writes text that was checked to be UTF-8, escaping what JSON asks for.
    private func string(_ range: Range<Int>, into json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        var start = range.lowerBound
        for index in range {
            let byte = reader.buffer[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            json.append(contentsOf: UnsafeRawBufferPointer(rebasing: reader.buffer[start..<index]))
            start = index + 1
            Self.escape(byte, into: &json)
        }
        json.append(contentsOf: UnsafeRawBufferPointer(rebasing: reader.buffer[start..<range.upperBound]))
        json.append(UInt8(ascii: "\""))
    }

    private static func escape(_ byte: UInt8, into json: inout [UInt8]) {
        json.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): json.append(byte)
        case 0x0a: json.append(UInt8(ascii: "n"))
        case 0x0d: json.append(UInt8(ascii: "r"))
        case 0x09: json.append(UInt8(ascii: "t"))
        default:
            ascii("u00", into: &json)
            json.append(hexadecimal.utf8Start[Int(byte >> 4)])
            json.append(hexadecimal.utf8Start[Int(byte & 15)])
        }
    }

    private static func integer(_ value: Int64, into json: inout [UInt8]) {
        if value < 0 { json.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let start = json.count
        repeat {
            json.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        json[start...].reverse()
    }

    private static func ascii(_ text: StaticString, into json: inout [UInt8]) {
        json.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
