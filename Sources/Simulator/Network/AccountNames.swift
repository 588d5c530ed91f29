/// Names of accounts, from the seed and the account's place alone.
struct AccountNames: Sendable {
    let seed: UInt64

    private static let base32 = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    /// `did:plc:` and 24 characters of base32, as the directory makes them.
    func did(_ index: Int) -> String {
        var random = RandomStream(seed: seed, "did", index)
        return Self.did(&random)
    }

    func did(labeler index: Int) -> String {
        var random = RandomStream(seed: seed, "labeler", index)
        return Self.did(&random)
    }

    private static func did(_ random: inout RandomStream) -> String {
        let characters = (0..<24).map { _ in base32[random.below(32)] }
        return "did:plc:" + String(decoding: characters, as: UTF8.self)
    }

    /// Changes with each generation.
    func handle(_ index: Int, generation: Int) -> String {
        generation == 0 ? "user\(index).weir.test" : "user\(index)-\(generation).weir.test"
    }

    func keySeed(_ index: Int, generation: Int) -> [UInt8] {
        var random = RandomStream(seed: seed, "key", index, generation)
        var bytes = random.bytes(32)
        // Below the order of both curves, and not zero.
        bytes[0] = 0x3c
        return bytes
    }

    /// Three of four keys are k256, as most are on the network.
    func isK256(_ index: Int, generation: Int) -> Bool {
        var random = RandomStream(seed: seed, "curve", index, generation)
        return random.below(4) != 0
    }
}
