public import NIOCore

/// One reply of Redis (RESP2). An error is a value here: in a batch one command may fail and the next succeed.
public enum RedisValue: Sendable, Hashable {
    /// A status such as `OK`.
    case simple(String)
    /// Any bytes. They are a slice of the whole reply's storage: whoever keeps a small part of a large reply for long copies it.
    case bulk(ByteBuffer)
    case integer(Int64)
    case array([RedisValue])
    /// No such key or element, or a blocking read that ended without a result.
    case null
    case error(RedisServerError)
}

extension RedisValue {
    public var isNull: Bool { self == .null }

    /// The server's error, nil where the reply is none.
    public var serverError: RedisServerError? {
        if case .error(let error) = self { return error }
        return nil
    }

    /// The reply itself.
    /// - Throws: a `serverError` where the reply is one.
    @discardableResult
    public func get() throws(RedisError) -> RedisValue {
        if case .error(let error) = self { throw RedisError(error) }
        return self
    }

    /// - Throws: a `serverError`, or `unexpectedReply` where it is not an integer (as such or as decimal text).
    public func integer() throws(RedisError) -> Int64 {
        switch try get() {
        case .integer(let value): return value
        case .bulk(let buffer):
            if let value = Int64(String(buffer: buffer)) { return value }
        default: break
        }
        throw unexpected("an integer")
    }

    /// - Throws: a `serverError`, or `unexpectedReply` where it is not text. Bytes that are not UTF-8 are repaired: use ``bytes()`` for data.
    public func string() throws(RedisError) -> String {
        switch try get() {
        case .simple(let text): return text
        case .bulk(let buffer): return String(buffer: buffer)
        default: throw unexpected("a string")
        }
    }

    /// - Throws: a `serverError`, or `unexpectedReply` where it is not a bulk string.
    public func buffer() throws(RedisError) -> ByteBuffer {
        guard case .bulk(let buffer) = try get() else { throw unexpected("a bulk string") }
        return buffer
    }

    /// - Throws: a `serverError`, or `unexpectedReply` where it is not a bulk string.
    public func bytes() throws(RedisError) -> [UInt8] { Array(try buffer().readableBytesView) }

    /// - Throws: a `serverError`, or `unexpectedReply` where it is not an array.
    public func array() throws(RedisError) -> [RedisValue] {
        guard case .array(let values) = try get() else { throw unexpected("an array") }
        return values
    }

    /// Nil where the reply is null, else itself.
    /// - Throws: a `serverError`.
    public func optional() throws(RedisError) -> RedisValue? { try get().isNull ? nil : self }

    private var shape: String {
        switch self {
        case .simple(let text): "the status \(text.prefix(40))"
        case .bulk(let buffer): "a bulk string of \(buffer.readableBytes) bytes"
        case .integer(let value): "the integer \(value)"
        case .array(let values): "an array of \(values.count)"
        case .null: "null"
        case .error(let error): "the error \(error)"
        }
    }

    private func unexpected(_ expected: String) -> RedisError {
        RedisError(code: .unexpectedReply, message: "expected \(expected), got \(shape)")
    }
}
