internal import CLibpq

/// Hands parameters to libpq: one buffer for all values, and pointers into it that live as long as the call.
enum LibpqParameters {
    static func sendPrepared(_ connection: OpaquePointer, name: String, _ parameters: [PostgresParameter]) -> Bool {
        // One byte more, so that the buffer has an address also where every value is empty.
        var storage: [UInt8] = [0]
        var starts: [Int?] = []
        var lengths: [Int32] = []
        for parameter in parameters {
            starts.append(parameter.bytes == nil ? nil : storage.count)
            lengths.append(Int32(clamping: parameter.bytes?.count ?? 0))
            if let bytes = parameter.bytes { storage.append(contentsOf: bytes) }
        }
        // A value may be empty and stand at the end: its address must still be inside.
        storage.append(0)
        let formats = [Int32](repeating: 1, count: parameters.count)
        return storage.withUnsafeBytes { buffer in
            let values = starts.map { start in
                start.flatMap { buffer.baseAddress?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
            }
            return PQsendQueryPrepared(connection, name, Int32(parameters.count), values, lengths, formats, 1) == 1
        }
    }

    static func sendPrepare(_ connection: OpaquePointer, name: String, sql: String, _ parameters: [PostgresParameter]) -> Bool {
        let typeIDs = parameters.map(\.typeID)
        return PQsendPrepare(connection, name, sql, Int32(typeIDs.count), typeIDs) == 1
    }
}
