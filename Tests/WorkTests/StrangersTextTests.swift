import Events
import NIOCore
import Testing

@testable import Work

@Suite("What strangers write: times, addresses and DIDs")
struct StrangersTextTests {
    @Test(
        "a time is read whatever its precision and offset",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000Z", 0), ("1970-01-01T00:00:01.5Z", 1_500_000),
            ("2025-02-06T01:05:06.528Z", 1_738_803_906_528_000), ("2025-02-06T02:05:06.528+01:00", 1_738_803_906_528_000),
            ("2024-02-29T23:59:59.123456789Z", 1_709_251_199_123_456), ("1969-12-31T23:59:59Z", -1_000_000),
        ])
    func times(text: String, microseconds: Int64) { #expect(UpstreamTime.parse(text) == WallTime(microseconds: microseconds)) }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "2025-02-06", "2025-02-06T01:05:06", "2025-13-06T01:05:06Z", "2025-02-29T01:05:06Z", "2025-02-06T25:05:06Z", "2025-02-06T01:05:06.Z",
            "2025-02-06T01:05:06Zx", "2025-02-06 01:05:06Z", "-025-02-06T01:05:06Z",
        ])
    func noTimes(text: String) { #expect(UpstreamTime.parse(text) == nil) }

    @Test(
        "private, loopback and link-local addresses are not public, also inside of IPv6",
        arguments: [
            ("8.8.8.8", true), ("10.1.2.3", false), ("127.0.0.1", false), ("169.254.169.254", false), ("172.16.0.1", false), ("172.32.0.1", true),
            ("192.168.1.1", false), ("100.64.0.1", false), ("0.0.0.0", false), ("224.0.0.1", false), ("2606:4700::1111", true), ("::1", false),
            ("::ffff:10.0.0.1", false), ("::ffff:8.8.8.8", true), ("fe80::1", false), ("fc00::1", false), ("2001:db8::1", false),
            ("2002:0a00:0001::1", false), ("64:ff9b::7f00:1", false),
        ])
    func addresses(text: String, isPublic: Bool) throws {
        #expect(AddressPolicy.isPublic(try SocketAddress(ipAddress: text, port: 443)) == isPublic)
    }

    @Test(
        "a DID says where its document is",
        arguments: [
            ("did:plc:ewvi7nxzyoun6zhxrhs64oiz", .directory), ("did:web:example.com", .host(name: "example.com", port: nil)),
            ("did:web:localhost%3A8080", .host(name: "localhost", port: 8080)), ("did:web:Example.COM", .host(name: "example.com", port: nil)),
        ] as [(String, DIDLocation)])
    func locations(did: String, location: DIDLocation) { #expect(DIDLocation(did) == location) }

    @Test(
        "a DID that leads elsewhere is not followed",
        arguments: [
            "did:plc:short", "did:plc:../../../../../../../x", "did:web:example.com:users:a", "did:web:example.com%3A8443", "did:web:a%2Fb.com",
            "did:key:z6Mk", "did:web:", "did:web:internal",
        ])
    func noLocations(did: String) {
        guard case .unsupported = DIDLocation(did) else {
            Issue.record("\(did) is followed to \(DIDLocation(did))")
            return
        }
    }
}
