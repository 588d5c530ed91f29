import ATProto
import Events

/// Makes records. The same account, number and time give the same bytes, so a repository keeps none of them.
struct RecordGenerator: Sendable {
    let seed: UInt64
    private let accounts: Int
    private let names: AccountNames
    private let content: ContentConfiguration

    private static let filler: [UInt8] = makeFiller()
    private static let phrases = [
        "the river is high today", "weir gates open ✨", "早上好 🌊", "Привет, река!", "👩‍👩‍👧‍👦 at the lock 🏳️‍🌈", "مرحبا بالنهر", "nul here: \u{0} and on",
        "e\u{301} and é", "quotes \" and \\ and \n lines\tand tabs", "🇳🇿🇩🇪 flags", "zero\u{200B}width",
    ]

    init(seed: UInt64, accounts: Int, content: ContentConfiguration) {
        self.seed = seed
        self.accounts = accounts
        names = AccountNames(seed: seed)
        self.content = content
    }

    /// The record as DAG-CBOR. `number` counts the account's writes.
    func record(_ collection: RecordCollection, account: Int, number: Int, microseconds: Int64) -> [UInt8] {
        var random = RandomStream(seed: seed, "record", account, number)
        let bytesMean = content.bytesMean(account, number: number, of: accounts)
        let createdAt = CBORValue.text(Timestamp.text(microseconds: microseconds))
        var fields: [(String, CBORValue)] = [("$type", .text(collection.rawValue)), ("createdAt", createdAt)]
        switch collection {
        case .post: fields += post(&random, microseconds, bytesMean)
        case .like, .repost: fields.append(("subject", reference(&random, microseconds)))
        case .follow: fields.append(("subject", .text(names.did(random.below(accounts)))))
        case .profile:
            fields.append(("displayName", .text("User \(account) 🏞️")))
            fields.append(("description", .text(text(&random, bytes: size(&random, mean: 400)))))
            if random.chance(0.5) { fields.append(("avatar", blob(&random))) }
        case .reading: fields += reading(&random, bytesMean)
        }
        return CBORValue.map(CBORMap(fields)).encode()
    }

    private func post(_ random: inout RandomStream, _ microseconds: Int64, _ bytesMean: Int) -> [(String, CBORValue)] {
        // Posts and readings carry what likes and follows lack of the mean.
        var left = size(&random, mean: max(bytesMean * 5 / 2 - 500, 200))
        let textBytes = min(left, 20 + random.below(260))
        left -= textBytes
        let phrase = Self.phrases[random.below(Self.phrases.count)]
        var fields: [(String, CBORValue)] = [
            ("text", .text(random.chance(0.3) ? "\(phrase) \(text(&random, bytes: textBytes))" : text(&random, bytes: textBytes))),
            ("langs", .array([.text(random.chance(0.7) ? "en" : "de")])),
        ]
        if random.chance(0.4) {
            let parent = reference(&random, microseconds)
            fields.append(("reply", ["root": random.chance(0.5) ? parent : reference(&random, microseconds), "parent": parent]))
        }
        if random.chance(0.15) {
            let image: CBORValue = ["alt": .text(text(&random, bytes: left)), "image": blob(&random)]
            fields.append(("embed", ["$type": "app.bsky.embed.images", "images": .array([image])]))
        } else if left > 0 {
            let external: CBORValue = ["uri": "https://example.com/river", "title": "Levels", "description": .text(text(&random, bytes: left))]
            fields.append(("embed", ["$type": "app.bsky.embed.external", "external": external]))
        }
        return fields
    }

    private func reading(_ random: inout RandomStream, _ bytesMean: Int) -> [(String, CBORValue)] {
        let integers: [Int64] = [0, -1, 1 << 53, (1 << 53) + 1, .max, .min, 255, 256, 65_536]
        return [
            ("level", .integer(integers[random.below(integers.count)])), ("raw", .bytes(random.bytes(1 + random.below(64)))),
            ("gauge", .link(CID(hashing: random.bytes(16)))), ("open", .bool(random.chance(0.5))), ("note", .null), ("empty", [:]),
            ("series", .array((0..<random.below(12)).map { _ in .integer(Int64(bitPattern: random.next())) })),
            ("ключ", .text(Self.phrases[random.below(Self.phrases.count)])),
            ("remark", .text(text(&random, bytes: size(&random, mean: max(bytesMean - 250, 50))))),
        ]
    }

    private func reference(_ random: inout RandomStream, _ microseconds: Int64) -> CBORValue {
        let rkey = tid(microseconds: microseconds - Int64(random.below(1 << 40)), clockID: random.below(1024))
        let uri = "at://\(names.did(random.below(accounts)))/\(RecordCollection.post.rawValue)/\(rkey)"
        return ["uri": .text(uri), "cid": .text("\(CID(hashing: random.bytes(16)))")]
    }

    private func blob(_ random: inout RandomStream) -> CBORValue {
        let size = CBORValue.integer(Int64(10_000 + random.below(900_000)))
        return ["$type": "blob", "ref": .link(CID(hashing: random.bytes(16), codec: .raw)), "mimeType": "image/jpeg", "size": size]
    }

    /// Spread so that many are small and few are several times the mean; at most the largest record that the network takes.
    private func size(_ random: inout RandomStream, mean: Int) -> Int {
        let spread = random.chance(0.1) ? 4.0 : 0.67
        return min(Int(Double(mean) * spread * (0.25 + 1.5 * random.unit())), 900_000)
    }

    private func text(_ random: inout RandomStream, bytes: Int) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(bytes)
        while out.count < bytes {
            let start = random.below(Self.filler.count / 2)
            out += Self.filler[start..<min(start + bytes - out.count, Self.filler.count)]
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func makeFiller() -> [UInt8] {
        let words = "water lock gate over the under bridge flow slow mill stone bank reed heron boat and".split(separator: " ")
        var random = RandomStream(seed: 7, "filler")
        return Array((0..<8_000).map { _ in words[random.below(words.count)] }.joined(separator: " ").utf8)
    }
}
