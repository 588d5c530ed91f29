import ATProto
import Events

/// What one core does with `#commit` frames: made here, with real trees and signatures, over and over.
struct FrameBench {
    struct Result {
        var name: String
        var perSecond: Double
        var microseconds: Double
    }

    enum Broken: Error { case refused(String) }

    /// Records of the repository that the commits change: its proofs are as deep as those of an account that has been used for a while.
    static let records = 2000
    /// Distinct frames of one curve.
    static let frames = 200

    private let k256: (frames: [[UInt8]], key: VerificationKey)
    private let p256: (frames: [[UInt8]], key: VerificationKey)

    /// - Parameter progress: told how many of the frames are made.
    init(progress: (Int, Int) -> Void) throws {
        k256 = try Self.make(.k256, seed: 1) { progress($0, 2 * Self.frames) }
        p256 = try Self.make(.p256, seed: 2) { progress(Self.frames + $0, 2 * Self.frames) }
    }

    var frameBytes: Int { k256.frames.reduce(0) { $0 + $1.count } / k256.frames.count }

    static let measurements = ["route", "decode", "structure", "verify k256", "verify p256"]

    /// One measurement, about `seconds` long.
    func measure(_ name: String, seconds: Double) throws -> Result {
        let now = WallTime(microseconds: 1_800_000_000_000_000)
        switch name {
        case "route":
            return try Self.time(name, k256.frames, seconds) { frame in
                guard case .message = FrameRoute.parse(frame) else { throw Broken.refused("route") }
            }
        case "decode": return try Self.time(name, k256.frames, seconds) { frame in _ = try StreamMessage(frame: frame) }
        case "structure":
            return try Self.time(name, k256.frames, seconds) { frame in
                guard case .sound = CommitStructure.check(frame, now: now) else { throw Broken.refused("structure") }
            }
        default:
            let (frames, key) = name == "verify p256" ? p256 : k256
            return try Self.time(name, frames, seconds) { frame in
                guard case .verified = CommitVerifier.verify(frame, key: key, now: now) else { throw Broken.refused("verify") }
            }
        }
    }

    private static func time(_ name: String, _ frames: [[UInt8]], _ seconds: Double, _ body: ([UInt8]) throws -> Void) throws -> Result {
        let clock = ContinuousClock()
        let begun = clock.now
        var done = 0
        repeat {
            for frame in frames { try body(frame) }
            done += frames.count
        } while clock.now - begun < .seconds(seconds)
        let elapsed = (clock.now - begun) / .seconds(1)
        return Result(name: name, perSecond: Double(done) / elapsed, microseconds: elapsed / Double(done) * 1_000_000)
    }

    /// Commits of one account, each creating one record of about 900 bytes.
    private static func make(_ curve: KeyCurve, seed: UInt8, progress: (Int) -> Void) throws -> (frames: [[UInt8]], key: VerificationKey) {
        let key = try SigningKey(curve, secret: Array(repeating: seed, count: 32))
        let did = "did:plc:benchbenchbenchbenchbenc"
        var tids = TIDGenerator(clockID: Int(seed))
        var time: Int64 = 1_700_000_000_000_000
        func tid() -> String {
            time += 1000
            return "\(tids.next(now: WallTime(microseconds: time)))"
        }
        var tree = MerkleSearchTree()
        for index in 0..<records { try tree.insert("app.bsky.feed.post/\(tid())", CID(hashing: Array("record \(index)".utf8))) }
        var before = tree.rootCID()
        var since = tid()
        var frames: [[UInt8]] = []
        for index in 0..<Self.frames {
            tree.mark()
            let path = "app.bsky.feed.post/\(tid())"
            let text = String(repeating: "A line of some post. ", count: 38)
            let record = try DAGJSON.record(
                Array("{\"$type\":\"app.bsky.feed.post\",\"createdAt\":\"2026-01-01T00:00:00Z\",\"text\":\"\(text)\",\"n\":\(index)}".utf8)
            ).encode()
            let cid = CID(hashing: record)
            try tree.insert(path, cid)
            let root = tree.rootCID()
            let rev = tid()
            let signed = try CommitBlock.signed(did: did, rev: rev, data: root, with: key)
            var car = CARWriter(roots: [signed.block.cid], capacity: 8192)
            car.append(signed.block)
            for block in tree.commitBlocks(for: [path]) { car.append(block) }
            car.append(cid, record)
            frames.append(
                CommitMessage(
                    seq: Int64(index + 1), repo: did, commit: signed.block.cid, rev: rev, since: since, prevData: before,
                    ops: [RepoOperation(action: .create, path: path, cid: cid)], blocks: car.bytes, time: "2026-01-01T00:00:00.000Z"
                ).frame())
            before = root
            since = rev
            progress(index + 1)
        }
        return (frames, key.verificationKey)
    }
}
