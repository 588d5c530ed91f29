internal import OrderedCollections

/// Which statements a connection has prepared, by SQL text and parameter types; the least recently used leave first.
///
/// Names are never used twice on a connection, so an answer that was lost cannot make one name mean two statements.
struct StatementCache {
    struct Key: Hashable {
        var sql: String
        var typeIDs: [UInt32]
    }

    private let capacity: Int
    /// Least recently used first.
    private var names = OrderedDictionary<Key, String>()
    private var made = 0
    /// Names that the server still holds and the cache no longer does.
    private(set) var evicted: [String] = []

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { names.count }

    /// The name under which the server knows the statement; nil where it must be prepared first.
    mutating func name(of key: Key) -> String? {
        guard let name = names.removeValue(forKey: key) else { return nil }
        names[key] = name
        return name
    }

    mutating func freshName() -> String {
        made += 1
        return "weir_\(made)"
    }

    /// The server confirmed the statement.
    mutating func prepared(_ key: Key, as name: String) {
        if let old = names.removeValue(forKey: key) { evicted.append(old) }
        names[key] = name
        while names.count > capacity { evicted.append(names.removeFirst().value) }
    }

    /// The server confirmed that it dropped the name, or never knew it.
    mutating func deallocated(_ name: String) { evicted.removeAll { $0 == name } }

    /// The statement's plan no longer fits: it is prepared anew next time.
    mutating func forget(_ key: Key) {
        if let name = names.removeValue(forKey: key) { evicted.append(name) }
    }
}
