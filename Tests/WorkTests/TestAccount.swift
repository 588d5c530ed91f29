import ATProto
import Events

@testable import Work

/// An account whose host makes real signed commits with their proofs.
struct TestAccount {
    let did: String
    let key: SigningKey
    private(set) var lastRev: String?
    fileprivate var tree = MerkleSearchTree()
    private(set) var records: [String: CID] = [:]
    private var bodies: [CID: Block] = [:]
    private var clock = TIDGenerator(clockID: 7)
    private let start: WallTime
    private var made: Int64 = 0

    /// - Parameter number: 0 to 9, tells accounts apart.
    init(_ number: Int, start: WallTime, curve: KeyCurve = .k256) throws {
        did = "did:plc:" + String(repeating: "a", count: 23) + ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][number]
        key = try SigningKey(curve, secret: [UInt8](repeating: UInt8(number + 1), count: 32))
        self.start = start
    }

    /// A commit that creates, updates or (nil) deletes one post; signed by `signer` where given.
    mutating func commit(_ path: String, _ text: String?, signedBy signer: SigningKey? = nil, time: String = "2026-01-01T00:00:00Z") throws
        -> CommitMessage
    {
        let prevData = tree.rootCID()
        tree.mark()
        let before = records[path]
        var blocks: [Block] = []
        let op: RepoOperation
        if let text {
            let record: CBORValue = ["$type": "app.bsky.feed.post", "text": .text(text)]
            let block = Block(hashing: record.encode())
            if before == nil { try tree.insert(path, block.cid) } else { _ = try tree.update(path, block.cid) }
            records[path] = block.cid
            bodies[block.cid] = block
            op = RepoOperation(action: before == nil ? .create : .update, path: path, cid: block.cid, prev: before)
            blocks = tree.commitBlocks(for: [path]) + [block]
        } else {
            _ = try tree.delete(path)
            records[path] = nil
            op = RepoOperation(action: .delete, path: path, cid: nil, prev: before)
            blocks = tree.commitBlocks(for: [path])
        }
        made += 1
        let rev = clock.next(now: WallTime(microseconds: start.microseconds + made)).description
        let commit = try CommitBlock.signed(did: did, rev: rev, data: tree.rootCID(), with: signer ?? key).block
        let message = CommitMessage(
            seq: made, repo: did, commit: commit.cid, rev: rev, since: lastRev, prevData: prevData, ops: [op],
            blocks: CARWriter.encode(roots: [commit.cid], blocks: [commit] + blocks), time: time)
        lastRev = rev
        return message
    }

    /// The blocks of the repository as it is now, the signed commit first, as its host would give them.
    mutating func blocks() throws -> [Block] {
        [try commit(signedBy: key)] + tree.allBlocks() + Set(records.values).compactMap { bodies[$0] }
    }

    /// The commit of the repository as it is now.
    mutating func commit(signedBy signer: SigningKey) throws -> Block {
        try CommitBlock.signed(did: did, rev: lastRev ?? "", data: tree.rootCID(), with: signer).block
    }

    /// An account with so many posts.
    static func with(posts: Int, _ number: Int, start: WallTime = WorkClock.system.wall()) throws -> TestAccount {
        var account = try TestAccount(number, start: start)
        for post in 0..<posts { _ = try account.commit("app.bsky.feed.post/p\(post)", "text \(post)") }
        return account
    }
}

extension TestAccount {
    /// What a fetcher writes of the repository as it is now.
    mutating func whole(_ attempt: Int64, host: String = "pds.example", isFork: Bool = false) -> SnapshotEntry {
        let records = records.sorted { $0.key < $1.key }.map {
            SnapshotRecord(path: $0.key, cid: $0.value.description, body: Array("{\"of\":\"\(lastRev ?? "")\"}".utf8))
        }
        return SnapshotEntry(
            did: did, attempt: attempt, n: 0, kind: .whole, host: host, rev: lastRev ?? "", data: tree.rootCID().binary, isFork: isFork,
            count: Int64(records.count), records: records)
    }

    /// The same in several entries, a record each.
    mutating func parts(_ attempt: Int64) -> [SnapshotEntry] {
        var entry = whole(attempt)
        let records = entry.records
        (entry.kind, entry.count, entry.records) = (.open, 0, [])
        var entries = [entry]
        var after = ""
        for (place, record) in records.enumerated() {
            (entry.kind, entry.n, entry.after, entry.through, entry.records) = (.records, Int64(place + 1), after, record.path, [record])
            after = record.path
            entries.append(entry)
        }
        (entry.kind, entry.n, entry.after, entry.through, entry.records) = (.close, Int64(records.count + 1), "", "", [])
        entry.count = Int64(records.count)
        return entries + [entry]
    }
}

extension UpstreamEntry {
    /// What an ingester takes of a frame; host, session and n are the session writer's.
    init(frame: [UInt8], seq: Int64, host: String = "relay.example") {
        let position = Position(epoch: 1, seq: seq)
        switch FrameRoute.parse(frame) {
        case .message(let fields):
            self.init(
                host: host, session: 0, n: 0, position: position, kind: Kind(rawValue: fields.type.rawValue) ?? .unknown, did: fields.did,
                rev: fields.rev, time: fields.time, frame: frame)
        default: self.init(host: host, session: 0, n: 0, position: position, kind: .malformed, frame: frame)
        }
    }
}
