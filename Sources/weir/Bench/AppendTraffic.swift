import Events
import Ledger
import Synchronization

/// Batches as a worker makes them of live traffic: likes, posts, follows and deletes of accounts drawn evenly from a fixed number, each batch with
/// the states of the repositories that it changes, the position of its session and a watermark. The same at each start.
final class AppendTraffic: Sendable {
    /// Distinct repositories that a batch changes, by its rows.
    static let repositoriesPerRow = 0.6
    /// A body and how many of 100 records are so long.
    private static let sizes = [(bytes: 0, share: 9), (bytes: 180, share: 13), (bytes: 290, share: 58), (bytes: 700, share: 20)]
    static var bodyBytesMean: Int { sizes.reduce(0) { $0 + $1.bytes * $1.share } / 100 }

    private struct State {
        var draws: UInt64 = 0
        var seq: Int64 = 0
        var entry: UInt64 = 0
    }

    private let state = Mutex(State())
    private let upstream: UpstreamName
    private let session: Int64
    private let repositories: Int
    private let shards: Int

    init(upstream: UpstreamName, session: Int64, repositories: Int, shards: Int) {
        self.upstream = upstream
        self.session = session
        self.repositories = repositories
        self.shards = shards
    }

    /// So many seqs in a row, for rows that no ledger numbers; the first of them.
    func seqs(_ count: Int) -> Int64 {
        state.withLock { state in
            defer { state.seq += Int64(count) }
            return state.seq + 1
        }
    }

    func batch(_ lease: ShardLease, rows: Int) -> ShardBatch {
        state.withLock { state in
            var batch = ShardBatch(lease: lease)
            var numbers: [Int] = []
            var seen = Set<Int>()
            let distinct = max(1, Int(Double(rows) * Self.repositoriesPerRow))
            while numbers.count < distinct {
                let number = Int(draw(&state) % UInt64(repositories / shards)) * shards + lease.shard
                if seen.insert(number).inserted { numbers.append(number) }
            }
            for row in 0..<rows {
                let number = row < distinct ? numbers[row] : numbers[Int(draw(&state) % UInt64(distinct))]
                batch.events.append(event(of: number, batch.run, &state))
            }
            state.entry += UInt64(rows)
            let rev = Self.text(state.entry, length: 13)
            batch.repositories = numbers.map { Self.repository($0, rev: rev) }
            batch.offset = EntryID(milliseconds: 1_800_000_000_000 + state.entry, sequence: 0)
            batch.sessions = [SessionProgress(upstream: upstream, session: session, expectedN: Int64(state.entry))]
            batch.watermarks = [upstream: Position(epoch: 0, seq: Int64(state.entry))]
            return batch
        }
    }

    static func repository(_ number: Int, rev: String) -> RepositoryState {
        let digest = (0..<4).flatMap { word in withUnsafeBytes(of: mixed(UInt64(number) &* 4 &+ word)) { Array($0) } }
        return RepositoryState(did: did(number), rev: rev, data: [1, 0x71, 0x12, 0x20] + digest)
    }

    private static func did(_ number: Int) -> String {
        "did:plc:" + text(mixed(UInt64(number)), length: 12) + text(mixed(UInt64(number) | 1 << 63), length: 12)
    }

    private func event(of number: Int, _ run: RunID, _ state: inout State) -> LogEvent {
        var place = Int(draw(&state) % 100)
        let size = Self.sizes.first { size in
            place -= size.share
            return place < 0
        }
        let bytes = size?.bytes ?? 0
        let key = Self.text(draw(&state), length: 13)
        return LogEvent(
            run: run, seq: 0, kind: .record, did: Self.did(number), rev: key, collection: bytes > 500 ? "app.bsky.feed.post" : "app.bsky.feed.like",
            rkey: key, action: bytes == 0 ? .delete : .create,
            cid: bytes == 0 ? "" : "bafyrei" + (0..<4).map { _ in Self.text(draw(&state), length: 13) }.joined(), host: "relay1.us-east.bsky.network",
            time: "2026-01-01T00:00:00.000Z", body: bytes == 0 ? [] : body(bytes, &state))
    }

    /// JSON whose text does not compress to nothing.
    private func body(_ bytes: Int, _ state: inout State) -> [UInt8] {
        var text = "{\"$type\":\"app.bsky.feed.like\",\"createdAt\":\"2026-01-01T00:00:00.000Z\",\"text\":\""
        while text.utf8.count < bytes - 2 { text += Self.text(draw(&state), length: 10) + " " }
        return Array(text.utf8.prefix(bytes - 2)) + Array("\"}".utf8)
    }

    private func draw(_ state: inout State) -> UInt64 {
        state.draws += 1
        return Self.mixed(state.draws)
    }

    /// The finaliser of SplitMix64.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value &* 0x9e37_79b9_7f4a_7c15
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    private static func text(_ value: UInt64, length: Int) -> String {
        let letters = Array("234567abcdefghijklmnopqrstuvwxyz".utf8)
        return String(decoding: (0..<length).map { letters[Int(value >> (UInt64($0) * 5) & 31)] }, as: UTF8.self)
    }
}
