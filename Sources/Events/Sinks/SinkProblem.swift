/// A sink that cannot be: which of its settings, what stands there, and what may.
public struct SinkProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// As `filter.collections`.
    public var setting: String
    /// What was given, cut; empty where something is missing or may not be shown.
    public var given: String
    public var allowed: String

    public init(_ setting: String, given: String = "", allowed: String) {
        self.setting = setting
        self.given = given.excerpt(scalars: 128)
        self.allowed = allowed
    }

    public var description: String { "\(setting): \(given.isEmpty ? "" : "\(given) is not allowed; ")allowed: \(allowed)" }
}
