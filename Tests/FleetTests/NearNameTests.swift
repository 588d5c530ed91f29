import Testing

@testable import Fleet

@Suite struct NearNameTests {
    @Test(
        "a slip of the fingers finds the name, another word finds nothing",
        arguments: [("sharsd", "shards"), ("SHARDS", "shards"), ("shard", "shards"), ("lease.tll", "lease.ttl"), ("completely", nil), ("", nil)])
    func nearest(name: String, expected: String?) { #expect(NearName.nearest(to: name, among: ["shards", "lease.ttl", "mode"]) == expected) }
}
