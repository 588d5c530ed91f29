import ATProto
import Events
import TestSupport

/// Good inputs that the fuzz tests change: of a generated host, and recorded ones where the conformance vectors are on this machine.
enum FuzzCorpus {
    static let record: CBORValue = [
        "$type": "a.b.c", "x": [1, -5, .null, true, .bytes([1, 2]), .link(CID(hashing: [1])), 65536, -1, 255],
        "y": ["z": "ü\u{0}😀", "ref": .link(CID(hashing: [1], codec: .raw)), "size": 12, "mimeType": "image/png", "$type": "blob"],
    ]

    /// A host with 30 posts and one commit more.
    static func host() throws -> (host: TestRepository, first: TestRepository.Draft, second: TestRepository.Draft) {
        var host = try TestRepository()
        let first = try host.commit((0..<30).map { ("app.bsky.feed.post/k\($0)", TestRepository.post("\($0)")) })
        let second = try host.commit([("app.bsky.feed.post/a", record), ("app.bsky.feed.post/k3", nil), ("a.b.c/x", ["x": 1])])
        return (host, first, second)
    }

    static func frames() throws -> [[UInt8]] {
        let (host, first, second) = try host()
        let car = CARWriter.encode(roots: [second.commit.cid], blocks: [second.commit])
        let honest = [
            second.message.frame(), first.message.frame(),
            SyncMessage(seq: 3, did: host.did, rev: second.message.rev, blocks: car, time: "t").frame(),
            IdentityMessage(seq: 4, did: host.did, time: "t", handle: "a.test").frame(),
            AccountMessage(seq: 5, did: host.did, time: "t", active: false, status: "deleted").frame(),
            try labels().frame(), InfoMessage(name: "OutdatedCursor").frame(), ErrorMessage(error: "FutureCursor").frame(),
        ]
        return honest + (try recorded())
    }

    /// A signed label of an account, an unsigned one of a record, and a withdrawal.
    static func labels() throws -> LabelsMessage {
        let key = try SigningKey(.k256, secret: [UInt8](repeating: 9, count: 32))
        let (src, subject, time) = ("did:plc:ar7c4by46qjdydhdevvrndac", "did:web:a.test", "2026-01-02T03:04:05Z")
        let labels = [
            try Label(src: src, uri: subject, val: "spam", cts: time, exp: "2027-01-02T03:04:05Z").signed(by: key),
            Label(src: src, uri: "at://\(subject)/app.bsky.feed.post/k3", cid: CID(hashing: [1]).description, val: "!warn", cts: time),
            Label(src: src, uri: subject, val: "spam", neg: true, cts: time, ver: nil),
        ]
        return LabelsMessage(seq: 6, labels: labels)
    }

    /// Commits that a public relay sent.
    static func recorded() throws -> [[UInt8]] {
        guard Conformance.isPresent else { return [] }
        let header = (["op": 1, "t": "#commit"] as CBORValue).encode()
        return try ["4621317030", "4621317332", "4623075231"].map {
            header + (try DAGJSON.record(Conformance.bytes("commits/firehose_commit_\($0).json"))).encode()
        }
    }

    static func archives() throws -> [[UInt8]] {
        let (_, first, second) = try host()
        let blocks = (0..<30).map { Block(hashing: [UInt8](repeating: UInt8($0), count: $0)) }
        var archives = [Array(first.message.storage[first.message.blocks]), Array(second.message.storage[second.message.blocks])]
        archives.append(CARWriter.encode(roots: [blocks[0].cid, blocks[1].cid], blocks: blocks))
        if Conformance.isPresent { archives.append(try Conformance.bytes("repositories/empty.car")) }
        return archives
    }

    static func values() throws -> [[UInt8]] {
        let (_, first, second) = try host()
        return [record.encode(), second.commit.bytes, ([1, [2, [3]], .float(2.5), .bytes([])] as CBORValue).encode()]
            + first.blocks.prefix(8).map(\.bytes)
    }

    /// The lines of a conformance list, and some of our own.
    static func texts(_ lists: String..., own: [String]) throws -> [[UInt8]] {
        var texts = own
        if Conformance.isPresent { for list in lists { texts += try Conformance.lines("syntax/\(list).txt") } }
        return texts.map { Array($0.utf8) }
    }
}

/// Changes values and graphs of blocks where bytes alone would break at the first check.
enum ValueMutator {
    /// The value with one thing in it changed, taken out, repeated, or wrapped.
    static func mutate(_ value: CBORValue, links: [CID], _ random: inout some RandomNumberGenerator) -> CBORValue {
        if Int.random(in: 0..<4, using: &random) > 0 {
            switch value {
            case .array(var values) where !values.isEmpty:
                let index = Int.random(in: values.indices, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: values.remove(at: index)
                case 1: values.append(values[index])
                case 2: values.swapAt(index, 0)
                default: values[index] = mutate(values[index], links: links, &random)
                }
                return .array(values)
            case .map(let map) where !map.fields.isEmpty:
                var map = map
                let field = map.fields[Int.random(in: map.fields.indices, using: &random)]
                switch Int.random(in: 0..<8, using: &random) {
                case 0: map[field.key] = nil
                case 1: map["\(field.key)x"] = field.value
                default: map[field.key] = mutate(field.value, links: links, &random)
                }
                return .map(map)
            default: break
            }
        }
        return other(than: value, links: links, &random)
    }

    private static func other(than value: CBORValue, links: [CID], _ random: inout some RandomNumberGenerator) -> CBORValue {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return .null
        case 1: return .integer([0, -1, 1, 23, 24, 255, 1 << 53, .max, .min].randomElement(using: &random) ?? 0)
        case 2: return .text(["", "a", "app.bsky.feed.post/k3", "\u{0}", String(repeating: "k", count: 1_025)].randomElement(using: &random) ?? "")
        case 3:
            return .bytes([[], [0], Array("app.bsky.feed.post/".utf8), [UInt8](repeating: 0x61, count: 1_100)].randomElement(using: &random) ?? [])
        case 4, 5, 6: return links.randomElement(using: &random).map { .link($0) } ?? .null
        case 7: return .array(Array(repeating: value, count: Int.random(in: 0...3, using: &random)))
        case 8: return ["a": value]
        default: return .bool(true)
        }
    }
}
