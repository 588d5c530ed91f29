public import NIOCore

/// One argument of a command: any bytes, also NUL and line ends. Integers are written in decimal.
public enum RedisArgument: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    case string(String)
    case bytes([UInt8])
    case buffer(ByteBuffer)
    case integer(Int64)

    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public static func integer(_ value: Int) -> RedisArgument { .integer(Int64(value)) }
}
