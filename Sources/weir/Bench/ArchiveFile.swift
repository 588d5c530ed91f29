import ATProto
import Events
import Foundation

/// A CAR of a large repository: 680,000 records, most of them likes, and about 250 MB, with its blocks in no order at all: the worst that a host can send.
///
/// The same bytes at each run. Costs some seconds to make, and a quarter of a gigabyte of memory meanwhile.
struct ArchiveFile {
    static let records = 690_000

    let path: String
    private(set) var bytes = 0
    private(set) var blocks = 0

    /// Makes it at `path`.
    init(path: String, records: Int = Self.records) throws {
        self.path = path
        var random = Shuffle()
        var tree = MerkleSearchTree()
        var tids = TIDGenerator(clockID: 5)
        for index in 0..<records {
            let tid = "\(tids.next(now: WallTime(microseconds: Self.begin + Int64(index) * 91_000)))"
            try tree.insert("app.bsky.feed.\(Self.kind(index))/\(tid)", CID(hashing: Self.record(index)))
        }
        let key = try SigningKey(.k256, secret: Array(repeating: 7, count: 32))
        let rev = "\(tids.next(now: WallTime(microseconds: Self.begin + Int64(records) * 91_000)))"
        let commit = try CommitBlock.signed(did: "did:plc:benchbenchbenchbenchbenc", rev: rev, data: tree.rootCID(), with: key).block
        let others = tree.allBlocks() + [commit]
        tree = MerkleSearchTree()
        var order = Array(0..<(records + others.count)).map(UInt32.init)
        order.shuffle(using: &random)
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw ArchiveBench.Broken.file(path) }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        defer { try? file.close() }
        var writer = CARWriter(roots: [commit.cid], capacity: 2 << 20)
        for number in order {
            writer.append(Int(number) < records ? Block(hashing: Self.record(Int(number))) : others[Int(number) - records])
            if writer.bytes.count > 1 << 20 { try write(&writer, file) }
        }
        try write(&writer, file)
        blocks = order.count
    }

    private mutating func write(_ writer: inout CARWriter, _ file: FileHandle) throws {
        let part = writer.takeBytes()
        try file.write(contentsOf: part)
        bytes += part.count
    }

    private static let begin: Int64 = 1_700_000_000_000_000

    private static func kind(_ index: Int) -> String { index % 8 == 0 ? "post" : index % 8 == 1 ? "repost" : "like" }

    private static func record(_ index: Int) -> [UInt8] {
        let kind = kind(index)
        let time: CBORValue = "2026-01-01T00:00:00.000Z"
        guard kind == "post" else {
            let uri = "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/\(3_000_000_000_000 + index)"
            let subject: CBORValue = ["cid": "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm", "uri": .text(uri)]
            return (["$type": .text("app.bsky.feed.\(kind)"), "createdAt": time, "subject": subject] as CBORValue).encode()
        }
        let text = String(repeating: "Water rises twice a day. ", count: 1 + index % 13) + "\(index)"
        return (["$type": "app.bsky.feed.post", "createdAt": time, "langs": ["en"], "text": .text(text)] as CBORValue).encode()
    }

    /// SplitMix64: the same order at each run.
    private struct Shuffle: RandomNumberGenerator {
        private var state: UInt64 = 1

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }
}
