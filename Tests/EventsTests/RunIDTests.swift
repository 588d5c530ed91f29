import Events
import Testing

@Suite("Run ids")
struct RunIDTests {
    @Test(
        "only the name that a shard's run has names its shard",
        arguments: ["firehose/047", "firehose/-1", "firehose/", "firehose/4x", "backfill/4"])
    func others(_ text: String) throws {
        #expect(try #require(RunID(text)).firehoseShard == nil)
    }

    @Test("a shard's run names its shard", arguments: [0, 7, 31, 1023])
    func shards(_ shard: Int) {
        #expect(RunID.firehose(shard).firehoseShard == shard)
    }
}
