/// Why bytes or text are not what a format of the AT Protocol allows.
///
/// Thrown inside this module and at its decoders; a pipeline turns it into a counted refusal, never into a crash.
public struct FormatError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case cbor, cid, car, mst, missingBlock, json, dataModel, key, message, syntax, tooLarge, tooManyOps
    }

    public var code: Code
    /// What is wrong, without the stranger's own bytes where these may be long.
    public var message: String
    /// Offset in bytes into the buffer that was read, where there is one.
    public var offset: Int?

    public init(_ code: Code, _ message: String, offset: Int? = nil) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    /// The same error in a buffer that begins `bytes` later in a larger one.
    func moved(by bytes: Int) -> FormatError { FormatError(code, message, offset: offset.map { $0 + bytes }) }

    public var description: String {
        guard let offset else { return "\(code.rawValue): \(message)" }
        return "\(code.rawValue): \(message) (at byte \(offset))"
    }
}
