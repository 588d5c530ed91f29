/// A filter that cannot be: which of its lists, what stands there, and what may.
public struct EventFilterError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Field: String, Hashable, Sendable {
        case collections, dids, kinds, actions
        case types = "type"
    }
    public enum Code: String, Hashable, Sendable { case tooMany = "too_many", notAllowed = "not_allowed" }

    public var code: Code
    public var field: Field
    /// What was given: the value that is refused, or the number of values.
    public var given: String
    /// What may stand there.
    public var allowed: String

    public var description: String { "\(field.rawValue): \(given) is not allowed; allowed: \(allowed)" }
}
