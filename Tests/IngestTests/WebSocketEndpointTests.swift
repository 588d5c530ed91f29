import Testing

@testable import Ingest

@Suite struct WebSocketEndpointTests {
    @Test(
        "an operator's ways to write an address",
        arguments: [
            ("bsky.network", "wss://bsky.network", "bsky.network"), ("https://Relay.Example/", "wss://relay.example", "relay.example"),
            ("ws://localhost:2470", "ws://localhost:2470", "localhost:2470"), ("http://10.0.0.1:80", "ws://10.0.0.1", "10.0.0.1"),
            ("wss://relay:443", "wss://relay", "relay"), ("ws://[::1]:99", "ws://[::1]:99", "[::1]:99"),
            ("relay:8080", "wss://relay:8080", "relay:8080"),
        ])
    func accepted(_ text: String, _ url: String, _ authority: String) throws {
        let endpoint = try WebSocketEndpoint(text)
        #expect(endpoint.description == url)
        #expect(endpoint.authority == authority)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "ws://", "ftp://relay", "relay:0", "relay:70000", "relay:x", "relay/path", "user@relay", "::1", "[::1", "re lay", "ws://relay?x",
        ])
    func refused(_ text: String) {
        #expect(throws: WebSocketEndpoint.Invalid.self) { try WebSocketEndpoint(text) }
    }
}
