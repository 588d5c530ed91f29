/// A place in a listing as hosts give it away: opaque, mixed with the seed, so that nobody can do arithmetic on it.
struct ListingCursor: Sendable {
    private let mask: UInt64

    init(seed: UInt64, host: Int?) {
        mask = (seed &* 0x9e37_79b9_7f4a_7c15 >> 20) ^ (UInt64(host ?? 0) &* 0x5851_f42d)
    }

    func text(_ place: Int) -> String { "p" + String(UInt64(place) ^ mask, radix: 36) }

    /// Nil where the text is none of this listing's.
    func place(_ text: String, through end: Int) -> Int? {
        guard text.hasPrefix("p"), let masked = UInt64(text.dropFirst(), radix: 36), let place = Int(exactly: masked ^ mask) else { return nil }
        return (0...end).contains(place) ? place : nil
    }
}
