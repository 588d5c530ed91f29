public import NIOCore

/// Which addresses a stranger's host name may stand for.
///
/// A DID document is written by anybody: without this, this process could be sent to the machines around it.
public enum AddressPolicy {
    /// Whether the address is one of the public network: not loopback, private (RFC 1918, RFC 4193), link-local, shared (RFC 6598), multicast,
    /// unspecified, or reserved for documentation and tests; IPv4 inside IPv6 is looked at as IPv4.
    public static func isPublic(_ address: SocketAddress) -> Bool {
        // The address stands after family and port, in IPv6 after the flow label too.
        let bytes = address.withSockAddr { pointer, size in Array(UnsafeRawBufferPointer(start: pointer, count: size)) }
        switch address {
        case .v4: return bytes.count >= 8 && isPublic(v4: Array(bytes[4..<8]))
        case .v6: return bytes.count >= 24 && isPublic(v6: Array(bytes[8..<24]))
        case .unixDomainSocket: return false
        }
    }

    /// Four bytes in network order.
    static func isPublic(v4 b: [UInt8]) -> Bool {
        switch (b[0], b[1]) {
        case (0, _), (10, _), (127, _), (169, 254), (192, 168), (198, 18), (198, 19): false
        case (100, 64...127), (172, 16...31): false
        case (192, 0) where b[2] == 0 || b[2] == 2: false
        case (198, 51) where b[2] == 100: false
        case (203, 0) where b[2] == 113: false
        case (224..., _): false
        default: true
        }
    }

    /// Sixteen bytes in network order.
    static func isPublic(v6 b: [UInt8]) -> Bool {
        if b[0..<10].allSatisfy({ $0 == 0 }) {
            // ::ffff:a.b.c.d is IPv4; the rest of ::/80 is unspecified, loopback or deprecated.
            return b[10] == 0xff && b[11] == 0xff ? isPublic(v4: Array(b[12...])) : false
        }
        if b[0] == 0x00, b[1] == 0x64, b[2] == 0xff, b[3] == 0x9b { return isPublic(v4: Array(b[12...])) }
        if b[0] == 0x20, b[1] == 0x02 { return isPublic(v4: Array(b[2..<6])) }
        // 2000::/3 is what is given out; 2001:db8::/32 is for documentation.
        if b[0] & 0xe0 != 0x20 { return false }
        return !(b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8)
    }
}
