/// The two curves of the protocol.
public enum KeyCurve: String, Hashable, Sendable, CaseIterable {
    case k256, p256

    /// The multicodec prefix of a public key, as varint.
    var multicodec: [UInt8] {
        switch self {
        case .k256: [0xe7, 0x01]
        case .p256: [0x80, 0x24]
        }
    }

    /// The order of the group, big-endian.
    private var order: [UInt8] {
        switch self {
        case .k256:
            [
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
            ]
        case .p256:
            [
                0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
            ]
        }
    }

    /// Half of the order, rounded down: the largest low S. The first byte of the order is 0xff on both curves.
    private static let halves: [KeyCurve: [UInt8]] = Dictionary(
        uniqueKeysWithValues: allCases.map { curve in
            var carry: UInt8 = 0
            let half = curve.order.map { byte in
                defer { carry = byte & 1 }
                return byte >> 1 | carry << 7
            }
            return (curve, half)
        })

    /// Whether S, the last 32 bytes of a compact signature, is in the lower half: the other half is a second form of the same signature.
    func isLowS(_ signature: [UInt8]) -> Bool {
        guard signature.count == 64 else { return false }
        // Nearly all values are told by their first byte: the half starts with 0x7f.
        if signature[32] != 0x7f { return signature[32] < 0x7f }
        guard let half = Self.halves[self] else { return false }
        return !half.lexicographicallyPrecedes(signature[32...])
    }

    /// Replaces a high S by order − S.
    func withLowS(_ signature: [UInt8]) -> [UInt8] {
        guard signature.count == 64, !isLowS(signature) else { return signature }
        var result = signature
        var borrow = 0
        let order = order
        for index in stride(from: 31, through: 0, by: -1) {
            let difference = Int(order[index]) - Int(signature[32 + index]) - borrow
            borrow = difference < 0 ? 1 : 0
            result[32 + index] = UInt8(truncatingIfNeeded: difference)
        }
        return result
    }
}
