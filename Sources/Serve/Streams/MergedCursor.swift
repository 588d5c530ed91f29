/// Where a client stands in a log of all shards, merged: the last seq that it has of each shard.
///
/// Clients treat the text as opaque. It is base64url without padding of: the byte 1 (the version); the number of shards; the smallest of the seqs;
/// then for each shard, in order, its seq less the smallest. Numbers are LEB128 (seven bits a byte, low ones first). 32 shards that stand
/// within 16,000 of each other take about 95 characters.
struct MergedCursor: Hashable, Sendable, CustomStringConvertible {
    /// By shard; each 0 to 2^53.
    var seqs: [Int64]

    static let shardsMax = 1024

    init(seqs: [Int64]) { self.seqs = seqs }

    var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text.
    func append(to text: inout [UInt8]) {
        let smallest = seqs.min() ?? 0
        var bytes: [UInt8] = [1]
        bytes.reserveCapacity(16 + seqs.count * 3)
        Self.appendNumber(UInt64(seqs.count), to: &bytes)
        Self.appendNumber(UInt64(smallest), to: &bytes)
        for seq in seqs { Self.appendNumber(UInt64(seq - smallest), to: &bytes) }
        Base64URL.append(bytes, to: &text)
    }

    /// Nil where the text was not made by ``append(to:)``.
    init?(_ text: String) {
        guard text.utf8.count <= 16 << 10, let bytes = Base64URL.decode(text.utf8), bytes.first == 1 else { return nil }
        var rest = bytes.dropFirst()
        guard let count = Self.takeNumber(&rest), (1...UInt64(Self.shardsMax)).contains(count), let smallest = Self.takeNumber(&rest) else {
            return nil
        }
        var seqs: [Int64] = []
        for _ in 0..<count {
            guard let more = Self.takeNumber(&rest), smallest <= 1 << 53, more <= (1 << 53) - smallest else { return nil }
            seqs.append(Int64(smallest + more))
        }
        guard rest.isEmpty else { return nil }
        self.seqs = seqs
    }

    private static func appendNumber(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// At most eight bytes: 56 bits.
    private static func takeNumber(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 56, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }
}
