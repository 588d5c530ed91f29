/// Watches the numbers of one connection, and tells an upstream that numbers anew from one that repeats or swaps a few messages.
///
/// A cursor may bring its own message again, and faulty relays swap neighbours: numbers at most `tolerance` below the highest are passed on
/// where they are, unless so many come in a row that the old height is clearly gone. A deeper fall is a new numbering at once.
/// What came before the connection says nothing: a relay may replay from far below the cursor that it was asked for.
struct SequenceWatch: Hashable {
    enum Verdict: Hashable {
        case rising
        /// At or below the highest, within what is tolerated: a repeat, or out of order.
        case repeated
        /// A new numbering starts with this message.
        case restarted
    }

    /// What is tolerated of a relay: its messages have a place by their revisions, whatever their numbers are.
    static let toleratedFall: Int64 = 64

    /// 0: every fall is a new numbering, and only the highest number itself may come again. For messages that have no other place than their number.
    let tolerance: Int64
    private var highest: Int64?
    private var fallsInRow: Int64 = 0

    init(tolerance: Int64 = toleratedFall) { self.tolerance = tolerance }

    mutating func received(_ seq: Int64) -> Verdict {
        guard let highest, seq <= highest else {
            highest = seq
            fallsInRow = 0
            return .rising
        }
        if tolerance == 0, seq == highest { return .repeated }
        fallsInRow += 1
        guard highest - seq > tolerance || fallsInRow > tolerance else { return .repeated }
        self.highest = seq
        fallsInRow = 0
        return .restarted
    }
}
