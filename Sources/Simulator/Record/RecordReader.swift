/// Reads a record in parts while others write it.
actor RecordReader {
    private let record: SentRecord
    private var next: Int
    private let end: Int

    init(record: SentRecord, next: Int, end: Int) {
        self.record = record
        self.next = next
        self.end = end
    }

    func part() -> [UInt8]? {
        guard let (bytes, next) = record.part(from: next, end: end) else { return nil }
        self.next = next
        return bytes
    }
}
