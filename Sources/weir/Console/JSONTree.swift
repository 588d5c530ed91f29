import Foundation

/// JSON that another program wrote, read without a schema: what is missing or of another type is nil.
struct JSONTree {
    private let value: Any

    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed]) else { return nil }
        self.value = value
    }

    private init(value: Any) { self.value = value }

    subscript(_ key: String) -> JSONTree? { (value as? [String: Any])?[key].map { JSONTree(value: $0) } }

    var items: [JSONTree] { (value as? [Any] ?? []).map { JSONTree(value: $0) } }
    var members: [(key: String, value: JSONTree)] {
        (value as? [String: Any] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, JSONTree(value: $0.value)) }
    }
    var text: String? { value as? String }
    var integer: Int64? { (value as? NSNumber)?.int64Value }
    var number: Double? { (value as? NSNumber)?.doubleValue }
    var flag: Bool? { value as? Bool }
    /// The value as text again, its members in order of their names; nil where it cannot be.
    var json: String? {
        guard let data = try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]) else {
            return nil
        }
        return String(decoding: data, as: UTF8.self)
    }
}
