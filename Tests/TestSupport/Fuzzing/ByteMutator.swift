/// Changes good inputs into those that a stranger might send: flipped bits, other lengths, cuts, repeats, pieces of another input, deep nesting, and
/// the tokens of a format where they hurt.
///
/// The same generator gives the same input. At most ``bytesMax`` bytes come out. It knows nothing of a format but its tokens.
public struct ByteMutator: Sendable {
    public let corpus: [[UInt8]]
    /// Short pieces that mean something to the decoder: heads with huge lengths, brackets, numbers at the edge.
    public let tokens: [[UInt8]]
    public let bytesMax: Int

    public init(corpus: [[UInt8]], tokens: [[UInt8]] = [], bytesMax: Int = 32 << 10) {
        self.corpus = corpus
        self.tokens = tokens
        self.bytesMax = bytesMax
    }

    /// One input in twenty is as it stands in the corpus.
    public func input(using random: inout some RandomNumberGenerator) -> [UInt8] {
        guard var bytes = corpus.randomElement(using: &random) else { return [] }
        if Int.random(in: 0..<20, using: &random) == 0 { return bytes }
        // Few changes get far into a decoder, many find its first checks.
        for _ in 0..<Int.random(in: 1...(Bool.random(using: &random) ? 1 : 6), using: &random) { mutate(&bytes, using: &random) }
        if bytes.count > bytesMax { bytes.removeSubrange(bytesMax...) }
        return bytes
    }

    /// One change.
    public func mutate(_ bytes: inout [UInt8], using random: inout some RandomNumberGenerator) {
        guard !bytes.isEmpty else {
            bytes = noise(1...16, &random)
            return
        }
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<14, using: &random) {
        case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[at] = [0, 1, 0x7f, 0x80, 0xff, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
        case 2: bytes[at] = Bool.random(using: &random) ? bytes[at] &+ 1 : bytes[at] &- 1
        case 3: bytes.removeSubrange(at...)
        case 4: bytes.removeSubrange(at..<end(at, 1...40, bytes, &random))
        case 5: bytes.insert(contentsOf: noise(1...9, &random), at: at)
        case 6:
            let piece = Array(bytes[at..<end(at, 1...80, bytes, &random)])
            bytes.insert(contentsOf: piece, at: Int.random(in: 0...bytes.count, using: &random))
        case 7: swap(&bytes, at, &random)
        case 8: splice(&bytes, at, &random)
        case 9: overwrite(&bytes, at, with: edge(&random))
        case 10, 11: if let token = tokens.randomElement(using: &random) { bytes.insert(contentsOf: token, at: at) }
        case 12: if let token = tokens.randomElement(using: &random) { overwrite(&bytes, at, with: token) }
        default: nest(&bytes, at, &random)
        }
    }

    private func noise(_ count: ClosedRange<Int>, _ random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: count, using: &random) { bytes.append(UInt8.random(in: 0...255, using: &random)) }
        return bytes
    }

    private func end(_ at: Int, _ length: ClosedRange<Int>, _ bytes: [UInt8], _ random: inout some RandomNumberGenerator) -> Int {
        min(bytes.count, at + Int.random(in: length, using: &random))
    }

    private func overwrite(_ bytes: inout [UInt8], _ at: Int, with piece: [UInt8]) {
        bytes.replaceSubrange(at..<min(bytes.count, at + piece.count), with: piece)
    }

    /// Two pieces of the same length change places.
    private func swap(_ bytes: inout [UInt8], _ at: Int, _ random: inout some RandomNumberGenerator) {
        let other = Int.random(in: 0..<bytes.count, using: &random)
        let (low, high) = (min(at, other), max(at, other))
        let length = min(Int.random(in: 1...64, using: &random), high - low, bytes.count - high)
        for offset in 0..<max(0, length) { bytes.swapAt(low + offset, high + offset) }
    }

    /// The rest, or a piece, comes from another input.
    private func splice(_ bytes: inout [UInt8], _ at: Int, _ random: inout some RandomNumberGenerator) {
        guard let other = corpus.randomElement(using: &random), !other.isEmpty else { return }
        let from = Int.random(in: 0..<other.count, using: &random)
        if Bool.random(using: &random) {
            bytes.replaceSubrange(at..., with: other[from...])
        } else {
            overwrite(&bytes, at, with: Array(other[from..<end(from, 1...120, other, &random)]))
        }
    }

    /// A number at an edge in 1, 2, 4 or 8 bytes, as lengths stand in binary formats.
    private func edge(_ random: inout some RandomNumberGenerator) -> [UInt8] {
        let edges: [UInt64] = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 53, .max >> 1, 1 << 63, .max]
        let value = edges.randomElement(using: &random) ?? 0
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
        return Array(bytes.suffix([1, 2, 4, 8].randomElement(using: &random) ?? 8))
    }

    /// A token, or the byte that is there, many times over: what recurses is asked how deep.
    private func nest(_ bytes: inout [UInt8], _ at: Int, _ random: inout some RandomNumberGenerator) {
        let token = tokens.randomElement(using: &random) ?? [bytes[at]]
        let times = min([3, 63, 64, 65, 1_000, 5_000].randomElement(using: &random) ?? 3, bytesMax / max(1, token.count))
        var piece: [UInt8] = []
        for _ in 0..<times { piece += token }
        bytes.insert(contentsOf: piece, at: at)
    }
}
