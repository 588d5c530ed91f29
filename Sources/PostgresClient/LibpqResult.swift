internal import CLibpq

/// Copies a `PGresult` into values.
enum LibpqResult {
    static func rows(of result: OpaquePointer) -> PostgresRows {
        let rowCount = Int(PQntuples(result))
        let columnCount = Int(PQnfields(result))
        var columns = PostgresRows.Columns()
        for column in 0..<Int32(columnCount) {
            columns.names.append(PQfname(result, column).map { String(cString: $0) } ?? "")
            columns.typeIDs.append(PQftype(result, column))
        }
        var storage: [UInt8] = []
        var places: [(start: Int, length: Int32)] = []
        places.reserveCapacity(rowCount * columnCount)
        for row in 0..<Int32(rowCount) {
            for column in 0..<Int32(columnCount) {
                guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
                    places.append((storage.count, -1))
                    continue
                }
                let length = PQgetlength(result, row, column)
                places.append((storage.count, length))
                storage.append(contentsOf: UnsafeRawBufferPointer(start: value, count: Int(length)))
            }
        }
        let affected = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
        return PostgresRows(columns: columns, storage: storage, places: places, rowCount: rowCount, affectedRows: affected)
    }
}
