/// Why a text is not the JSON that was looked for, and where.
public struct JSONScanError: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String
    /// In bytes from the beginning.
    public var offset: Int

    public init(_ message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    public var description: String { "\(message) at byte \(offset)" }
}
