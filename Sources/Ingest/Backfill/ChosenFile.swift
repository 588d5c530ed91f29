import Events
import Ledger
import Logging
import ServiceLifecycle
import Synchronization

/// Adds the repositories that a file names, and those that it names later: it is looked at every few seconds and read again when it has changed.
///
/// Adding what is wanted already changes nothing, so a reading that was cut off is begun again. A DID that leaves the file stays wanted; one that was
/// removed through the API is wanted again when a file that names it is read.
struct ChosenFile: Sendable {
    static let reason = "file"
    private static let chunkBytes = 64 << 10

    let path: String
    let interval: Duration
    let ledger: Ledger
    let shards: ShardMap
    let logger: Logger
    private let said = Said()

    init(path: String, interval: Duration, ledger: Ledger, shards: ShardMap, logger: Logger) {
        self.path = path
        self.interval = interval
        self.ledger = ledger
        self.shards = shards
        self.logger = logger
    }

    private final class Said: Sendable {
        let complaint = Mutex("")
    }

    /// What is wrong with the file, for the status; empty where nothing is.
    var complaint: String { said.complaint.withLock { $0 } }

    func run() async -> ConnectionEnd {
        var read: FileChunk.Version?
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                let version = try await FileChunk.read(path, from: 0, count: 0).version
                if version != read {
                    try await readAll()
                    // What was written while it was read is found at the next look.
                    read = version
                }
            } catch let error as FileChunk.Failure {
                complain("repos.file can't be read: \(error)")
                read = nil
            } catch {
                logger.warning("what repos.file names could not be added", metadata: ["error": "\(error)"])
            }
            await Pause.sleep(interval)
        }
        return ConnectionEnd(Task.isShuttingDownGracefully ? .shutdown : .cancelled)
    }

    private func readAll() async throws {
        var lines = DIDLines()
        var offset: Int64 = 0
        var (named, added) = (0, 0)
        while true {
            try Task.checkCancellation()
            let chunk = try await FileChunk.read(path, from: offset, count: Self.chunkBytes)
            offset += Int64(chunk.bytes.count)
            lines.take(chunk.bytes)
            if chunk.bytes.isEmpty { lines.end() }
            let dids = lines.takeDIDs()
            named += dids.count
            let outcomes = dids.isEmpty ? [:] : try await ledger.addRepositories(dids, shards: shards, reason: Self.reason)
            added += outcomes.values.count { $0 == .added }
            if chunk.bytes.isEmpty { break }
        }
        logger.notice("repos.file is read", metadata: ["named": "\(named)", "added": "\(added)", "wrong_lines": "\(lines.wrongCount)"])
        complain(Self.complaint(lines))
    }

    static func complaint(_ lines: DIDLines) -> String {
        guard lines.wrongCount > 0 else { return "" }
        let numbers = lines.wrongLines.map(String.init).joined(separator: ", ")
        let rest = lines.wrongCount - lines.wrongLines.count
        return "repos.file has \(lines.wrongCount) lines that are no DIDs: \(numbers)\(rest > 0 ? " and \(rest) more" : "")"
    }

    private func complain(_ text: String) {
        let isNew = said.complaint.withLock { complaint in
            defer { complaint = text }
            return complaint != text
        }
        if isNew, !text.isEmpty { logger.warning("\(text)") }
    }
}
