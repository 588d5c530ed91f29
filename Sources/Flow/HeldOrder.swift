/// The order in which one DID's held messages are looked at.
public enum HeldOrder {
    /// Commits go by rev, at the places that commits had when they arrived; everything else keeps its place, so that an account's end does not
    /// overtake the commits that arrived before it.
    ///
    /// - Parameters:
    ///   - messages: in the order of arrival.
    ///   - rev: the rev of a commit or sync, nil of any other message.
    public static func sorted<Message>(_ messages: [Message], rev: (Message) -> String?) -> [Message] {
        var places: [Int] = []
        var commits: [(rev: String, message: Message)] = []
        for (place, message) in messages.enumerated() {
            guard let rev = rev(message) else { continue }
            places.append(place)
            commits.append((rev, message))
        }
        commits.sort { $0.rev < $1.rev }
        var sorted = messages
        for (place, commit) in zip(places, commits) { sorted[place] = commit.message }
        return sorted
    }
}
