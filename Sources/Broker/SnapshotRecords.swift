import Events
import NIOCore

/// The bytes of a snapshot entry's records, the field `frame`: for each record the lengths of its path, CID and body as 32-bit numbers,
/// lowest byte first, then the three. Written and read by Weir alone.
enum SnapshotRecords {
    static func encode(_ records: [SnapshotRecord]) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: records.reduce(0) { $0 + 84 + $1.path.utf8.count + $1.body.count })
        for record in records {
            buffer.writeInteger(UInt32(record.path.utf8.count), endianness: .little)
            buffer.writeInteger(UInt32(record.cid.utf8.count), endianness: .little)
            buffer.writeInteger(UInt32(record.body.count), endianness: .little)
            buffer.writeString(record.path)
            buffer.writeString(record.cid)
            buffer.writeBytes(record.body)
        }
        return buffer
    }

    static func decode(_ frame: ByteBuffer) throws(EntryProblem) -> [SnapshotRecord] {
        var buffer = frame
        var records: [SnapshotRecord] = []
        while buffer.readableBytes > 0 {
            guard let lengths = buffer.readMultipleIntegers(endianness: .little, as: (UInt32, UInt32, UInt32).self),
                let path = text(&buffer, lengths.0), let cid = text(&buffer, lengths.1), let body = buffer.readBytes(length: Int(lengths.2))
            else { throw EntryProblem("a frame whose records are cut off or no UTF-8, at record \(records.count)") }
            guard let slash = path.utf8.firstIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex else {
                throw EntryProblem("a record without a collection, at record \(records.count)")
            }
            records.append(SnapshotRecord(path: path, cid: cid, body: body))
        }
        return records
    }

    private static func text(_ buffer: inout ByteBuffer, _ length: UInt32) -> String? {
        guard Int(length) <= buffer.readableBytes, let bytes = buffer.readBytes(length: Int(length)) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
