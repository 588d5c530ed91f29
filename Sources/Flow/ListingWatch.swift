/// Follows the cursors of a host's list, which mean nothing to us, and says when the list can't come to its end.
///
/// A cursor that was there before means a circle; it is found within three rounds, however long it is, with two remembered cursors (Brent's method).
/// Pages without a repository are legal, and followed at a slowing pace.
public struct ListingWatch: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        case end
        /// Ask for the next page after this pause.
        case next(after: Duration)
        case circle
    }

    /// The longest pause behind empty pages.
    public static let emptyPauseMax: Duration = .seconds(5)

    private var last: [UInt8]
    private var mark: [UInt8]
    private var sinceMark = 0
    private var markFor = 1
    private var emptyPages = 0

    /// - Parameter cursor: of the first page that is asked for; nil: the list's beginning.
    public init(cursor: String?) {
        last = Array((cursor ?? "").utf8)
        mark = last
    }

    /// Takes the answer to the last page that was asked for.
    ///
    /// - Parameters:
    ///   - next: the cursor behind it, nil at the end.
    ///   - isEmpty: it had no repository.
    public mutating func received(next: String?, isEmpty: Bool) -> Verdict {
        guard let next else { return .end }
        emptyPages = isEmpty ? emptyPages + 1 : 0
        // By bytes: two texts that Swift takes for the same may be different cursors.
        if next.utf8.elementsEqual(mark) || next.utf8.elementsEqual(last) { return .circle }
        last = Array(next.utf8)
        sinceMark += 1
        if sinceMark == markFor {
            mark = last
            markFor = min(markFor * 2, 1 << 40)
            sinceMark = 0
        }
        guard isEmpty else { return .next(after: .zero) }
        return .next(after: min(.milliseconds(10) * (1 << min(emptyPages, 20)), Self.emptyPauseMax))
    }
}
