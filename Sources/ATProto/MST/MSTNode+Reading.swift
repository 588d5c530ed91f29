extension MSTNode {
    /// Reads a block, `{l, e: [{p, k, v, t}]}`, with all checks that one block allows; children are stubs.
    ///
    /// Throws `cbor` where it is not canonical, `mst` where it is no node: a prefix not as long as it can be or longer than the key before, keys
    /// out of order or not valid.
    init(block buffer: UnsafeRawBufferPointer, range: Range<Int>, cid: CID, layer: Int) throws(FormatError) {
        self.init(layer: layer, cid: cid)
        var reader = CBORReader(buffer, range: range)
        guard try reader.mapCount() == 2 else { throw FormatError(.mst, "a node has two fields", offset: range.lowerBound) }
        var order = CBORKeyOrder()
        guard reader.equals(try reader.key(&order), "e") else { throw FormatError(.mst, "a node without e", offset: range.lowerBound) }
        let count = try reader.arrayCount()
        // An entry takes at least 50 bytes: nothing is reserved on a stranger's word.
        entries.reserveCapacity(min(count, range.count / 50))
        for _ in 0..<count { try readEntry(&reader) }
        guard reader.equals(try reader.key(&order), "l") else { throw FormatError(.mst, "a node without l", offset: range.lowerBound) }
        left = try Self.child(&reader)
        guard reader.isAtEnd else { throw FormatError(.mst, "bytes after the node", offset: reader.offset) }
    }

    private static func child(_ reader: inout CBORReader) throws(FormatError) -> MSTChild {
        guard let cid = try reader.linkOrNull() else { return .none }
        return .stub(cid)
    }

    private mutating func readEntry(_ reader: inout CBORReader) throws(FormatError) {
        let start = reader.offset
        guard try reader.mapCount() == 4 else { throw FormatError(.mst, "an entry has four fields", offset: start) }
        var order = CBORKeyOrder()
        try Self.expect("k", &reader, &order)
        let suffix = try reader.byteString()
        try Self.expect("p", &reader, &order)
        let prefix = try reader.integer()
        try Self.expect("t", &reader, &order)
        let right = try Self.child(&reader)
        try Self.expect("v", &reader, &order)
        let value = try reader.link()
        let previous = entries.last?.key ?? []
        guard prefix >= 0, prefix <= previous.count, suffix.count + Int(prefix) <= Limits.mstKeyBytes, !suffix.isEmpty else {
            throw FormatError(.mst, "a prefix or key of impossible length", offset: start)
        }
        var key: [UInt8] = []
        key.reserveCapacity(Int(prefix) + suffix.count)
        key.append(contentsOf: previous[..<Int(prefix)])
        key.append(contentsOf: UnsafeRawBufferPointer(rebasing: reader.buffer[suffix]))
        if !entries.isEmpty {
            guard MSTKey.precedes(previous, key) else { throw FormatError(.mst, "keys that are not in order", offset: start) }
            guard prefix == previous.count || key[Int(prefix)] != previous[Int(prefix)] else {
                throw FormatError(.mst, "a prefix that is not as long as it can be", offset: start)
            }
        }
        guard MSTKey.isValid(key) else { throw FormatError(.mst, "a key that is not valid", offset: start) }
        entries.append(MSTEntry(key: key, value: value, right: right))
    }

    private static func expect(_ name: StaticString, _ reader: inout CBORReader, _ order: inout CBORKeyOrder) throws(FormatError) {
        let key = try reader.key(&order)
        guard reader.equals(key, name) else { throw FormatError(.mst, "an entry without one of k, p, t, v", offset: key.lowerBound) }
    }
}
