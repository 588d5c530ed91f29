/// A value as it was understood: the form that the services take.
public enum ConfigurationValue: Hashable, Sendable {
    /// The key has no value: an optional thing that nobody asked for.
    case none
    case text(String)
    case list([String])
    case integer(Int)
    case duration(Duration)
    case flag(Bool)
}
