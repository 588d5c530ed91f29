/// How much is asked of a host, how much is taken from it, and how long it may take.
public struct HostClientConfiguration: Sendable, Hashable {
    /// From the request to the head of the answer.
    public var answerTimeout: Duration
    /// The largest answer in JSON, in bytes. 4 KiB … 16 MiB.
    public var pageBytes: Int
    /// The largest archive of a repository, in bytes.
    public var repositoryBytes: Int
    /// Least speed of a body, over each ``paceWindow`` of waiting for the host.
    public var leastBytesPerSecond: Int
    public var paceWindow: Duration
    /// The longest that a body may take.
    public var transferTimeout: Duration

    public init(
        answerTimeout: Duration = .seconds(30), pageBytes: Int = 1 << 20, repositoryBytes: Int = 2 << 30, leastBytesPerSecond: Int = 4 << 10,
        paceWindow: Duration = .seconds(30), transferTimeout: Duration = .seconds(3600)
    ) {
        self.answerTimeout = answerTimeout
        self.pageBytes = pageBytes
        self.repositoryBytes = repositoryBytes
        self.leastBytesPerSecond = leastBytesPerSecond
        self.paceWindow = paceWindow
        self.transferTimeout = transferTimeout
    }
}
