/// One command: its name and arguments.
public struct RedisCommand: Sendable, Hashable {
    public var name: String
    public var arguments: [RedisArgument]

    public init(_ name: String, _ arguments: RedisArgument...) { self.init(name, arguments) }

    public init(_ name: String, _ arguments: [RedisArgument]) {
        self.name = name
        self.arguments = arguments
    }
}
