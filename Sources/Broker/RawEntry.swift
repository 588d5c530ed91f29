import Events
import NIOCore
import RedisClient

/// One entry of a reply to XREAD, XRANGE or XREVRANGE: its id and its fields as they came.
struct RawEntry {
    let id: EntryID
    /// Names and values in turn; slices of the reply.
    let fields: [RedisValue]

    /// Reads `[id, [name, value, …]]`.
    init(_ value: RedisValue) throws(RedisError) {
        let parts = try value.array()
        guard parts.count == 2, let id = EntryID(try parts[0].string()) else { throw RawEntry.misshapen("an entry without an id and fields") }
        self.id = id
        fields = try parts[1].array()
        guard fields.count.isMultiple(of: 2) else { throw RawEntry.misshapen("a field without a value in \(id)") }
    }

    static func list(_ value: RedisValue) throws(RedisError) -> [RawEntry] {
        var entries: [RawEntry] = []
        for value in try value.array() { entries.append(try RawEntry(value)) }
        return entries
    }

    /// The entries of each stream of a reply to XREAD, by the stream's key; empty where nothing came in time.
    static func streams(_ value: RedisValue) throws(RedisError) -> [(key: String, entries: [RawEntry])] {
        guard let value = try value.optional() else { return [] }
        var streams: [(String, [RawEntry])] = []
        for stream in try value.array() {
            let parts = try stream.array()
            guard parts.count == 2 else { throw misshapen("a stream without a key and entries") }
            streams.append((try parts[0].string(), try list(parts[1])))
        }
        return streams
    }

    /// Bytes of names and values.
    var size: Int {
        fields.reduce(0) { sum, value in
            if case .bulk(let buffer) = value { sum + buffer.readableBytes } else { sum }
        }
    }

    func pairs() throws(RedisError) -> [(name: String, value: ByteBuffer)] {
        var pairs: [(String, ByteBuffer)] = []
        pairs.reserveCapacity(fields.count / 2)
        for index in stride(from: 0, to: fields.count, by: 2) { pairs.append((try fields[index].string(), try fields[index + 1].buffer())) }
        return pairs
    }

    private static func misshapen(_ message: String) -> RedisError { RedisError(code: .unexpectedReply, message: message) }
}

extension EntryID {
    /// Reads `ms-seq` of a reply, digit by digit: an append has one for each of its entries. Nil where it is anything else.
    init?(reply: ByteBuffer) {
        var numbers: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var isSecond = false
        for byte in reply.readableBytesView {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let number = isSecond ? numbers.1 : numbers.0
                let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
                if overflow || carry { return nil }
                if isSecond { numbers.1 = sum } else { numbers.0 = sum }
                digits += 1
            case UInt8(ascii: "-") where !isSecond && digits > 0:
                isSecond = true
                digits = 0
            default: return nil
            }
        }
        guard isSecond, digits > 0 else { return nil }
        self.init(milliseconds: numbers.0, sequence: numbers.1)
    }
}

/// What is wrong with the fields of an entry.
struct EntryProblem: Error, Hashable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
