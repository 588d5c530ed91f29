/// A bounded cache that forgets what was not used for a while.
///
/// Two generations of at most half the bound each: a use moves a value into the young one; when that is full, the old one is dropped and the young one
/// becomes old. Constant time, no list to keep; a value survives at least as many other uses as half the bound.
struct GenerationCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let half: Int

    init(entries: Int) { half = max(1, entries / 2) }

    var count: Int { young.count + old.count }

    mutating func value(_ key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old.removeValue(forKey: key) else { return nil }
        insert(value, for: key)
        return value
    }

    mutating func insert(_ value: Value, for key: Key) {
        old.removeValue(forKey: key)
        if young.count >= half, young[key] == nil {
            old = young
            young = Dictionary(minimumCapacity: half)
        }
        young[key] = value
    }

    mutating func remove(_ key: Key) {
        young.removeValue(forKey: key)
        old.removeValue(forKey: key)
    }

    mutating func removeAll() {
        young.removeAll()
        old.removeAll()
    }
}
