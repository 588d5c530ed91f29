/// What another session sent with NOTIFY.
public struct PostgresNotification: Hashable, Sendable {
    public var channel: String
    /// Up to 7,999 bytes, empty where none was given.
    public var payload: String
    /// The process id of the sending backend.
    public var backendID: Int32
}
