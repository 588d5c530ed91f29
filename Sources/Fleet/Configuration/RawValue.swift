/// A value as it was written, before it is understood.
enum RawValue: Hashable, Sendable {
    case scalar(String)
    case list([String])

    /// The items of a list; a text is split at its commas, as the environment and flags give lists.
    var items: [String] {
        switch self {
        case .list(let items): items
        case .scalar(let text):
            text.split(separator: ",").map { item in String(item.trimming { $0 == " " }) }.filter { !$0.isEmpty }
        }
    }

    var text: String {
        switch self {
        case .scalar(let text): text
        case .list(let items): items.joined(separator: ",")
        }
    }
}

extension Substring {
    fileprivate func trimming(_ unwanted: (Character) -> Bool) -> Substring {
        var rest = self
        while let first = rest.first, unwanted(first) { rest.removeFirst() }
        while let last = rest.last, unwanted(last) { rest.removeLast() }
        return rest
    }
}
