/// The fields of a map in canonical order: by length of the key in bytes, then bytewise, each key once.
///
/// Not a `Dictionary`: Swift holds strings equal that differ in bytes (composed and decomposed letters), and these are two keys here.
public struct CBORMap: Hashable, Sendable {
    public struct Field: Hashable, Sendable {
        public var key: String
        public var value: CBORValue

        public init(key: String, value: CBORValue) {
            self.key = key
            self.value = value
        }
    }

    public private(set) var fields: [Field]

    /// Sorts; of fields with the same key the last one stays.
    public init(_ fields: some Sequence<(String, CBORValue)>) {
        self.fields = []
        for (key, value) in fields { self[key] = value }
    }

    /// Takes fields whose order and uniqueness the caller has checked.
    init(canonical fields: [Field]) { self.fields = fields }

    /// Reads, sets, or with nil removes a field.
    public subscript(key: String) -> CBORValue? {
        get {
            let (index, found) = position(of: key)
            return found ? fields[index].value : nil
        }
        set {
            let (index, found) = position(of: key)
            switch (newValue, found) {
            case (.some(let value), true): fields[index].value = value
            case (.some(let value), false): fields.insert(Field(key: key, value: value), at: index)
            case (.none, true): fields.remove(at: index)
            case (.none, false): break
            }
        }
    }

    private func position(of key: String) -> (index: Int, found: Bool) {
        var low = 0
        var high = fields.count
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(fields[middle].key, key) { low = middle + 1 } else { high = middle }
        }
        return (low, low < fields.count && fields[low].key.utf8.elementsEqual(key.utf8))
    }

    /// Whether key `a` stands before key `b` in canonical order.
    public static func precedes(_ a: String, _ b: String) -> Bool {
        let (lengthA, lengthB) = (a.utf8.count, b.utf8.count)
        return lengthA == lengthB ? a.utf8.lexicographicallyPrecedes(b.utf8) : lengthA < lengthB
    }
}
