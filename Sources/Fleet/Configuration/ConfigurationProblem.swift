/// Why the configuration was not taken: one key, what was written, where, and what would have been right.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    public var key: String
    /// As written; masked where the key is a secret, empty where no value is concerned.
    public var value: String
    public var origin: ConfigurationOrigin
    public var message: String

    public init(key: String, value: String, origin: ConfigurationOrigin, message: String) {
        self.key = key
        self.value = value
        self.origin = origin
        self.message = message
    }

    public var description: String {
        let subject = value.isEmpty ? key : "\(key) = \"\(value)\""
        return "\(subject) (\(origin)): \(message)"
    }
}

/// Everything that is wrong with a configuration, found in one pass: nobody should have to start a program five times to learn five mistakes.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public var problems: [ConfigurationProblem]

    public init(problems: [ConfigurationProblem]) { self.problems = problems }

    public var description: String {
        let head = problems.count == 1 ? "the configuration has a mistake" : "the configuration has \(problems.count) mistakes"
        return ([head + ":"] + problems.map { "  \($0)" }).joined(separator: "\n")
    }
}
