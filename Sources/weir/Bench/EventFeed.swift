import Fleet
import Synchronization

/// A client of `/streams/firehose` that comes back from its last id whenever its stream ends, as a browser does.
final class EventFeed: Sendable {
    struct Arrived: Sendable {
        var did: String
        /// Empty at identity and account events.
        var rev: String
    }

    private struct State {
        var events = 0
        var firstAfterMark: ContinuousClock.Instant?
        var isMarked = false
    }

    private let client: APIClient
    private let state = Mutex(State())

    init(_ client: APIClient) { self.client = client }

    var events: Int { state.withLock { $0.events } }

    /// From here on the next event's time of arrival is kept.
    func mark() { state.withLock { $0 = State(events: $0.events, firstAfterMark: nil, isMarked: true) } }
    var firstAfterMark: ContinuousClock.Instant? { state.withLock { $0.firstAfterMark } }

    /// Until cancelled. `onEvent` is told each event right after it was parsed.
    func run(onEvent: @Sendable (Arrived) -> Void = { _ in }) async throws {
        var lastID = ""
        while !Task.isCancelled {
            do {
                _ = try await client.follow("/streams/firehose", lastID: lastID) { event in
                    lastID = event.id
                    guard event.data.utf8.first == UInt8(ascii: "{"), let arrived = Self.arrived(event.data) else { return true }
                    onEvent(arrived)
                    state.withLock { state in
                        state.events += 1
                        if state.isMarked, state.firstAfterMark == nil { state.firstAfterMark = .now }
                    }
                    return true
                }
            } catch is CancellationError {
                return
            } catch {
                // It may be killed, or not be up yet: come back.
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Weir's own format begins with run, seq, kind, did, rev: no need to read the record.
    private static func arrived(_ data: String) -> Arrived? {
        let parts = data.utf8.prefix(320).split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
        func value(_ name: String) -> String? {
            guard let index = parts.firstIndex(where: { $0.elementsEqual(name.utf8) }), index + 2 < parts.count else { return nil }
            return String(Substring(parts[index + 2]))
        }
        return value("did").map { Arrived(did: $0, rev: value("rev") ?? "") }
    }
}
