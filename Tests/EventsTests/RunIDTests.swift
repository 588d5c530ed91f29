import Events
import Testing

@Suite("Run ids")
struct RunIDTests {
    @Test(
        "only the name that a shard's run has names its shard",
        arguments: ["firehose/047", "firehose/-1", "firehose/", "firehose/4x", "backfill/4", "firehosex/4", "labels/04", "labels", "label/4"])
    func others(_ text: String) throws {
        #expect(try #require(RunID(text)).firehoseShard == nil)
        #expect(try #require(RunID(text)).liveShard == nil)
    }

    @Test("a shard's run names its shard", arguments: [0, 7, 31, 1023])
    func shards(_ shard: Int) {
        #expect(RunID.firehose(shard).firehoseShard == shard)
        for log in LiveLog.allCases { #expect(RunID.live(log, shard).liveShard == shard) }
        #expect(RunID.labels(shard).description == "labels/\(shard)" && RunID.labels(shard).firehoseShard == nil)
    }
}
