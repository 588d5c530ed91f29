import Testing

@testable import Hosts

@Suite("A host's address")
struct HostEndpointTests {
    @Test(
        "is scheme, host and port, whichever way it is written",
        arguments: [
            ("https://pds.example.com", "https://pds.example.com", "pds.example.com"),
            ("PDS.Example.com", "https://pds.example.com", "pds.example.com"),
            ("HTTPS://pds.example.com:443/", "https://pds.example.com", "pds.example.com"),
            ("http://localhost:2583", "http://localhost:2583", "localhost:2583"), ("http://a_b:80", "http://a_b", "a_b"),
            ("localhost:2583", "https://localhost:2583", "localhost:2583"), ("https://h:80", "https://h:80", "h:80"),
            ("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080"), ("[2001:DB8::1]", "https://[2001:db8::1]", "[2001:db8::1]"),
        ])
    func reads(text: String, description: String, authority: String) throws {
        let endpoint = try HostEndpoint(text)
        #expect(endpoint.description == description)
        #expect(endpoint.authority == authority)
        #expect(try HostEndpoint(endpoint.description) == endpoint)
    }

    @Test(
        "is nothing else, and the error says what is allowed",
        arguments: [
            "", "https://", "ftp://a.com", "wss://a.com", "https://a.com/x", "https://a.com//", "https://a.com?x", "https://a.com#x",
            "https://me@a.com", "https://a.com:0", "https://a.com:65536", "https://a.com:+1", "https://a.com:", "https://a.com:1:2", "https://a..com",
            "https://.a.com", "https://a.com.", "https://a b.com", "https://é.com", "https://a%2eb", "https://[::1", "https://[::1]x",
            "https://[a.com]",
            "::1", "https://a.com\n", String(repeating: "a", count: 254), "https://a.com\u{301}/", "https://[]",
        ])
    func refuses(text: String) {
        let error = #expect(throws: HostEndpoint.Invalid.self) { try HostEndpoint(text) }
        #expect(error?.description.contains("https://host[:port]") == true)
    }
}
