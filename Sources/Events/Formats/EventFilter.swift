/// Which events of a run a client or sink wants. An empty list wants all.
///
/// The lists are joined by "and", the values of a list by "or". Collections and actions speak of records only: identity, account and sync
/// events pass them, since they concern every record of their DID (so does Jetstream), and so do labels. Types speak of what applications append only. A terminal event passes every filter: without
/// it a reader would wait for a run that has ended.
public struct EventFilter: Hashable, Sendable {
    public let collections: [CollectionPattern]
    public let dids: Set<String>
    public let kinds: Set<LogEvent.Kind>
    public let actions: Set<LogEvent.Action>
    public let types: [TypePattern]

    public static let collectionsMax = 100
    public static let typesMax = 100
    public static let didsMax = 10_000

    /// Wants everything.
    public static let all = EventFilter()

    private init() {
        collections = []
        dids = []
        kinds = []
        actions = []
        types = []
    }

    /// Reads the lists as texts. Throws at the first value that is not allowed, or a list above its bound.
    public init(
        collections: [String] = [], dids: [String] = [], kinds: [String] = [], actions: [String] = [], types: [String] = []
    ) throws(EventFilterError) {
        try Self.checkCount(collections, .collections, max: Self.collectionsMax)
        try Self.checkCount(types, .types, max: Self.typesMax)
        try Self.checkCount(dids, .dids, max: Self.didsMax)
        var patterns: [CollectionPattern] = []
        for text in collections {
            guard let pattern = CollectionPattern(text) else {
                throw Self.refusal(.collections, text, allowed: "an NSID, or one that ends in .* (app.bsky.feed.*), or *")
            }
            patterns.append(pattern)
        }
        for did in dids where !Self.isDID(did) {
            throw Self.refusal(.dids, did, allowed: "did:<method>:<id>, at most 2048 characters")
        }
        self.collections = patterns
        self.dids = Set(dids)
        self.kinds = try Self.parse(kinds, .kinds)
        self.actions = try Self.parse(actions, .actions)
        self.types = try Self.patterns(types)
    }

    public var wantsAll: Bool { collections.isEmpty && dids.isEmpty && kinds.isEmpty && actions.isEmpty && types.isEmpty }

    public func matches(_ event: LogEvent) -> Bool {
        if event.kind == .terminal { return true }
        if !kinds.isEmpty, !kinds.contains(event.kind) { return false }
        if !dids.isEmpty, !dids.contains(event.did) { return false }
        if event.kind == .event, !types.isEmpty { return types.contains { $0.matches(event.type) } }
        guard event.kind == .record else { return true }
        if !actions.isEmpty {
            guard let action = event.action, actions.contains(action) else { return false }
        }
        return collections.isEmpty || collections.contains { $0.matches(event.collection) }
    }

    private static func patterns(_ texts: [String]) throws(EventFilterError) -> [TypePattern] {
        var patterns: [TypePattern] = []
        for text in texts {
            guard let pattern = TypePattern(text) else {
                throw refusal(.types, text, allowed: "a type, or one that ends in .* (order.*), or *")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    private static func checkCount(_ list: [String], _ field: EventFilterError.Field, max: Int) throws(EventFilterError) {
        if list.count > max {
            throw EventFilterError(code: .tooMany, field: field, given: "\(list.count) values", allowed: "at most \(max) values")
        }
    }

    private static func parse<Value: RawRepresentable & CaseIterable & Hashable>(
        _ texts: [String], _ field: EventFilterError.Field
    ) throws(EventFilterError) -> Set<Value> where Value.RawValue == String {
        var values: Set<Value> = []
        for text in texts {
            guard let value = Value(rawValue: text) else {
                throw refusal(field, text, allowed: Value.allCases.map(\.rawValue).joined(separator: ", "))
            }
            values.insert(value)
        }
        return values
    }

    private static func refusal(_ field: EventFilterError.Field, _ given: String, allowed: String) -> EventFilterError {
        EventFilterError(code: .notAllowed, field: field, given: given.excerpt(scalars: 128), allowed: allowed)
    }

    /// The form only; whether such a DID exists is nothing that a filter needs to know.
    private static func isDID(_ text: String) -> Bool {
        guard text.utf8.count <= 2048, text.hasPrefix("did:") else { return false }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count >= 3 && parts.dropFirst().allSatisfy { !$0.isEmpty } && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
