/// Why a server of our own does not run.
public struct LocalServerError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// A program is missing or too old.
        case notInstalled
        /// Another `weir up` works on this data folder.
        case inUse
        /// The data folder cannot be made or written.
        case folder
        /// The server ended, or did not answer in time.
        case failed
    }

    public var code: Code
    /// What happened, and what to do about it.
    public var message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
