import NIOCore
import Testing

@testable import Hosts

@Suite("What strangers write: addresses and DIDs")
struct StrangersAddressTests {
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
