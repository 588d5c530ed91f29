/// How full the work streams and Redis are, at one moment. Arrays are by shard.
public struct BrokerLevels: Hashable, Sendable {
    /// `XLEN`: includes the committed tail that is kept for inspection.
    public var entries: [Int]
    /// `MEMORY USAGE`, sampled.
    public var bytes: [Int]
    public var usedMemory: Int
    /// 0: no limit.
    public var maxMemory: Int
    /// Entries of the job stream: repositories that wait for a fetcher, or are with one.
    public var queuedJobs: Int
    public init(entries: [Int], bytes: [Int], usedMemory: Int, maxMemory: Int, queuedJobs: Int = 0) {
        self.entries = entries
        self.bytes = bytes
        self.usedMemory = usedMemory
        self.maxMemory = maxMemory
        self.queuedJobs = queuedJobs
    }

    /// The number of `name:<number>` in the text of INFO; 0 where it is not there.
    static func number(_ name: String, inInfo info: String) -> Int { Int(text(name, inInfo: info)) ?? 0 }

    /// What stands behind `name:` in the text of INFO; empty where it is not there.
    static func text(_ name: String, inInfo text: String) -> String {
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("\(name):") {
            return String(line.dropFirst(name.count + 1))
        }
        return ""
    }
}
