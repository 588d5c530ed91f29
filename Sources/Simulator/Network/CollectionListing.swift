/// A page of `listReposByCollection`. One that has no repository and a cursor is followed by others.
struct CollectionListing: Hashable, Sendable {
    var cursor: String?
    var dids: [String]

    var json: String {
        let head = cursor.map { "{\"cursor\":\"\($0)\",\"repos\":[" } ?? "{\"repos\":["
        return head + dids.map { "{\"did\":\"\($0)\"}" }.joined(separator: ",") + "]}"
    }
}
