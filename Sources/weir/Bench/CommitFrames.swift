import ATProto
import Events

/// `#commit` frames of one account as they come from a host: real trees and signatures, proofs as deep as those of an account in long use.
///
/// Six of ten operations create a like, two a post, one updates a profile, one deletes a like. The same at each run, but for the signatures
/// of p256. Costs about a second to make.
struct CommitFrames {
    /// Records of the repository before the first frame; their number decides about the size of the proofs.
    static let records = 60_000
    static let count = 250

    let key: VerificationKey
    private(set) var entries: [UpstreamEntry] = []
    /// Digest and signature of each commit block, for the library's own speed.
    private(set) var signatures: [(signature: [UInt8], digest: Digest)] = []
    private let signer: SigningKey
    private let did = "did:plc:benchbenchbenchbenchbenc"
    private var tree = MerkleSearchTree()
    private var tids: TIDGenerator
    private var time: Int64 = 1_700_000_000_000_000
    private var likes: [(path: String, cid: CID)] = []
    private var profile: CID?

    static let now = WallTime(microseconds: 1_800_000_000_000_000)

    var frameBytes: Int { entries.reduce(0) { $0 + $1.frame.count } / max(1, entries.count) }

    init(_ curve: KeyCurve) throws {
        signer = try SigningKey(curve, secret: Array(repeating: 7, count: 32))
        key = signer.verificationKey
        tids = TIDGenerator(clockID: 5)
        for index in 0..<Self.records {
            let kind = index % 8 == 0 ? "post" : index % 8 == 1 ? "repost" : "like"
            let path = "app.bsky.feed.\(kind)/\(tid())"
            let cid = CID(hashing: Array("record \(index)".utf8))
            try tree.insert(path, cid)
            if kind == "like" { likes.append((path, cid)) }
        }
        let first = CID(hashing: [0])
        try tree.insert(Self.profilePath, first)
        profile = first
        var since = tid()
        for index in 0..<Self.count { since = try commit(index, since: since) }
    }

    private static let profilePath = "app.bsky.actor.profile/self"

    private mutating func tid() -> String {
        time += 91_000
        return "\(tids.next(now: WallTime(microseconds: time)))"
    }

    private mutating func commit(_ index: Int, since: String) throws -> String {
        tree.mark()
        let before = tree.rootCID()
        let (operation, record) = try operation(index)
        let data = tree.rootCID()
        let rev = tid()
        let signed = try CommitBlock.signed(did: did, rev: rev, data: data, with: signer)
        var car = CARWriter(roots: [signed.block.cid], capacity: 8192)
        car.append(signed.block)
        for block in tree.commitBlocks(for: [operation.path]) { car.append(block) }
        if let record, let cid = operation.cid { car.append(cid, record) }
        let frame = CommitMessage(
            seq: Int64(index + 1), repo: did, commit: signed.block.cid, rev: rev, since: since, prevData: before, ops: [operation],
            blocks: car.bytes, time: "2026-01-01T00:00:00.000Z"
        ).frame()
        entries.append(
            UpstreamEntry(
                host: "bench", session: 1, n: Int64(index), position: Position(epoch: 1, seq: Int64(index + 1)), kind: .commit, did: did, rev: rev,
                time: "2026-01-01T00:00:00.000Z", frame: frame))
        signatures.append((signed.commit.signature, signed.commit.signedDigest))
        return rev
    }

    private mutating func operation(_ index: Int) throws -> (RepoOperation, record: [UInt8]?) {
        switch index % 10 {
        case 3:
            let like = likes.remove(at: likes.count / 2)
            try tree.delete(like.path)
            return (RepoOperation(action: .delete, path: like.path, cid: nil, prev: like.cid), nil)
        case 6:
            let record = try Self.encode("app.bsky.actor.profile", "\"displayName\":\"Ann 🌊\",\"description\":\"\(text(index, 4))\"")
            let cid = CID(hashing: record)
            try tree.update(Self.profilePath, cid)
            defer { profile = cid }
            return (RepoOperation(action: .update, path: Self.profilePath, cid: cid, prev: profile), record)
        case 0, 5:
            let link = "\"index\":{\"byteStart\":0,\"byteEnd\":12},\"features\":[{\"$type\":\"app.bsky.richtext.facet#tag\",\"tag\":\"tides\"}]"
            return try create("post", "\"text\":\"\(text(index, 6))\",\"langs\":[\"en\"],\"facets\":[{\(link)}]")
        default:
            let subject = "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/\(tid())"
            return try create("like", "\"subject\":{\"cid\":\"\(CID(hashing: Array(subject.utf8)))\",\"uri\":\"\(subject)\"}")
        }
    }

    private mutating func create(_ kind: String, _ fields: String) throws -> (RepoOperation, record: [UInt8]?) {
        let record = try Self.encode("app.bsky.feed.\(kind)", fields)
        let (path, cid) = ("app.bsky.feed.\(kind)/\(tid())", CID(hashing: record))
        try tree.insert(path, cid)
        return (RepoOperation(action: .create, path: path, cid: cid), record)
    }

    private func text(_ index: Int, _ lines: Int) -> String {
        String(repeating: "Water \\\"rises\\\" twice a day — \(index) times so far.\\n", count: lines)
    }

    private static func encode(_ type: String, _ fields: String) throws -> [UInt8] {
        try DAGJSON.record(Array("{\"$type\":\"\(type)\",\"createdAt\":\"2026-01-01T00:00:00.000Z\",\(fields)}".utf8)).encode()
    }
}
