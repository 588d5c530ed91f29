/// The collections that accounts write to.
enum RecordCollection: String, Sendable, CaseIterable {
    case post = "app.bsky.feed.post"
    case like = "app.bsky.feed.like"
    case repost = "app.bsky.feed.repost"
    case follow = "app.bsky.graph.follow"
    case profile = "app.bsky.actor.profile"
    /// Of nobody's lexicon: odd values that the data model allows.
    case reading = "com.example.river.reading"

    /// A collection for a new record other than a profile, in about the network's shares.
    static func drawn(_ random: inout RandomStream) -> RecordCollection {
        switch random.below(100) {
        case ..<35: .post
        case ..<70: .like
        case ..<78: .repost
        case ..<90: .follow
        default: .reading
        }
    }
}
