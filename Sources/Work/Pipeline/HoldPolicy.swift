internal import Events
internal import Ledger

/// How long a message is held and when it is looked at again.
struct HoldPolicy: Sendable {
    /// The longest a commit waits for its predecessor.
    var predecessor: Duration
    /// The longest a message waits for its DID's key; then it is refused.
    var identity: Duration

    func firstLook(_ reason: HeldMessage.Reason, since now: WallTime) -> WallTime {
        switch reason {
        case .predecessor: now.adding(predecessor)
        case .identity: now.adding(.seconds(1))
        // The snapshot's end wakes it.
        case .snapshot: now.adding(.seconds(24 * 3600))
        }
    }

    /// After `attempts` vain ones: 1, 2, 4 … 60 seconds apart.
    func nextLook(attempts: Int, now: WallTime) -> WallTime { now.adding(.seconds(min(60, 1 << min(attempts, 6)))) }

    /// No key any more for a message that was held: refuse it.
    func hasGivenUp(on held: Message.HeldPlace, now: WallTime) -> Bool { held.isForced || held.since.adding(identity) <= now }

    /// A held commit waits for its predecessor no longer. From when it came, whatever it was held for first: what waited for a key may
    /// miss its predecessor too.
    func isOverdue(_ held: Message.HeldPlace, now: WallTime) -> Bool { held.isForced || held.since.adding(predecessor) <= now }
}

extension WallTime {
    func adding(_ duration: Duration) -> WallTime {
        let (seconds, attoseconds) = duration.components
        return WallTime(microseconds: microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
    }
}
