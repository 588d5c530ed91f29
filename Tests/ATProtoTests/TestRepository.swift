import ATProto
import Events

/// A repository as an honest host keeps it: makes signed commits with their proofs.
struct TestRepository {
    let did: String
    let key: SigningKey
    var tree = MerkleSearchTree()
    var records: [String: CID] = [:]
    var seq: Int64 = 0
    var lastRev: String?
    private var clock = TIDGenerator(clockID: 7)
    static let start: Int64 = 1_738_803_906_000_000
    static let now = WallTime(microseconds: start + 3_600_000_000)

    init(_ curve: KeyCurve = .k256, did: String = "did:plc:ewvi7nxzyoun6zhxrhs64oiz") throws {
        self.did = did
        key = try SigningKey(curve, secret: [UInt8](repeating: 7, count: 32))
    }

    /// What one commit consists of, for tests that change a part of it.
    struct Draft {
        var message: CommitMessage
        var blocks: [Block]
        var commit: Block
    }

    /// Commits changes (nil deletes) and returns what the host sends.
    mutating func commit(_ changes: [(path: String, record: CBORValue?)]) throws -> Draft {
        let prevData = tree.rootCID()
        tree.mark()
        var ops: [RepoOperation] = []
        var recordBlocks: [Block] = []
        for (path, record) in changes {
            let before = records[path]
            guard let record else {
                try tree.delete(path)
                records[path] = nil
                ops.append(RepoOperation(action: .delete, path: path, cid: nil, prev: before))
                continue
            }
            let block = Block(hashing: record.encode())
            recordBlocks.append(block)
            if before == nil { try tree.insert(path, block.cid) } else { try tree.update(path, block.cid) }
            records[path] = block.cid
            ops.append(RepoOperation(action: before == nil ? .create : .update, path: path, cid: block.cid, prev: before))
        }
        let rev = clock.next(now: WallTime(microseconds: Self.start + seq)).description
        let blocks = tree.commitBlocks(for: changes.map(\.path)) + recordBlocks
        let commit = try CommitBlock.signed(did: did, rev: rev, data: tree.rootCID(), with: key).block
        seq += 1
        let message = CommitMessage(
            seq: seq, repo: did, commit: commit.cid, rev: rev, since: lastRev, prevData: prevData, ops: ops,
            blocks: CARWriter.encode(roots: [commit.cid], blocks: [commit] + blocks), time: "2025-02-06T01:05:06.528Z")
        lastRev = rev
        return Draft(message: message, blocks: blocks, commit: commit)
    }

    static func post(_ text: String) -> CBORValue { ["$type": "app.bsky.feed.post", "text": .text(text), "createdAt": "2025-02-06T01:05:06.528Z"] }
}

extension CommitMessage {
    /// The same message with some of its fields changed.
    func changed(
        repo: String? = nil, commit: CID? = nil, rev: String? = nil, prevData: CID?? = nil, ops: [RepoOperation]? = nil, blocks: [UInt8]? = nil,
        tooBig: Bool = false
    ) -> CommitMessage {
        CommitMessage(
            seq: seq, repo: repo ?? self.repo, commit: commit ?? self.commit, rev: rev ?? self.rev, since: since, prevData: prevData ?? self.prevData,
            ops: ops ?? self.ops, blocks: blocks ?? Array(storage[self.blocks]), time: time, tooBig: tooBig)
    }
}
