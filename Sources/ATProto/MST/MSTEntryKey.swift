/// The key of an entry: a range of bytes that the keys of a whole archive may share, so that a tree is read without an allocation for each.
struct MSTEntryKey: Sendable, Equatable {
    private let storage: [UInt8]
    private let start: UInt32
    let count: Int

    init(_ key: [UInt8]) { self.init(key, 0..<key.count) }

    init(_ key: String) { self.init(Array(key.utf8)) }

    /// Part of `storage`; the caller answers for the range, and for what is in front of it being less than 4 GB.
    @inline(__always)
    init(_ storage: [UInt8], _ range: Range<Int>) {
        self.storage = storage
        start = UInt32(range.lowerBound)
        count = range.count
    }

    @inline(__always)
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        storage.withUnsafeBufferPointer { bytes in
            body(UnsafeRawBufferPointer(start: bytes.baseAddress.map { UnsafeRawPointer($0) + Int(start) }, count: count))
        }
    }

    var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }

    var layer: Int { withBytes { MSTKey.layer(of: $0) } }

    /// Bytewise order; a key that starts another stands before it.
    @inline(__always)
    func precedes(_ other: MSTEntryKey) -> Bool { withBytes { own in other.withBytes { MSTKey.precedes(own, $0) } } }

    func commonPrefix(_ other: MSTEntryKey) -> Int { withBytes { own in other.withBytes { MSTKey.commonPrefix(own, $0) } } }

    static func == (a: Self, b: Self) -> Bool { a.count == b.count && a.commonPrefix(b) == a.count }
}
