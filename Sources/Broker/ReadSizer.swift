/// Decides how many entries one read asks for, so that a reply stays near a bound in bytes however large the entries are.
///
/// Redis bounds replies by entries only. The mean size of the entries seen lately stands for those to come; it rises at once and falls
/// slowly, so a run of large entries is met by one oversized reply at most.
struct ReadSizer: Sendable {
    let bytesMax: Int
    private var meanBytes: Int

    /// - Parameter firstMeanBytes: what entries are taken to be before any was seen.
    init(bytesMax: Int, firstMeanBytes: Int = 8 << 10) {
        self.bytesMax = max(bytesMax, 1)
        meanBytes = max(firstMeanBytes, 1)
    }

    func count(atMost limit: Int) -> Int { max(1, min(limit, bytesMax / meanBytes)) }

    mutating func took(entries: Int, bytes: Int) {
        guard entries > 0 else { return }
        let seen = max(bytes / entries, 1)
        meanBytes = seen > meanBytes ? seen : max((meanBytes * 7 + seen) / 8, 1)
    }
}
