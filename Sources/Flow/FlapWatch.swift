public import Events

/// Finds clients that come back more often than anything that works does: more than ``opensMax`` times within ``window``.
///
/// Holds at most ``clientsMax`` clients and their last ``opensMax`` + 1 openings; above that those that were quiet longest are forgotten.
public struct FlapWatch<Client: Hashable> {
    public let opensMax: Int
    public let window: Duration
    public let clientsMax: Int
    private var clients: [Client: Opens] = [:]

    private struct Opens {
        var times: [MonotonicTime] = []
        var toldAt: MonotonicTime?
    }

    public init(opensMax: Int = 10, window: Duration = .seconds(60), clientsMax: Int = 10_000) {
        self.opensMax = opensMax
        self.window = window
        self.clientsMax = clientsMax
    }

    /// Takes an opening.
    ///
    /// - Returns: how often it opened within the window (at most `opensMax` + 1 are counted), where that is too often and was not said within the window.
    public mutating func opened(_ client: Client, now: MonotonicTime) -> Int? {
        var opens = clients[client] ?? Opens()
        opens.times.append(now)
        opens.times.removeAll { now - $0 > window }
        if opens.times.count > opensMax + 1 { opens.times.removeFirst(opens.times.count - opensMax - 1) }
        var told: Int?
        if opens.times.count > opensMax, opens.toldAt.map({ now - $0 > window }) ?? true {
            told = opens.times.count
            opens.toldAt = now
        }
        clients[client] = opens
        if clients.count > clientsMax { forget(now) }
        return told
    }

    public var count: Int { clients.count }

    /// Everybody who was quiet for a window; where that is nobody, the half that was quiet longest.
    private mutating func forget(_ now: MonotonicTime) {
        let before = clients.count
        clients = clients.filter { now - ($0.value.times.last ?? now) <= window }
        guard clients.count == before else { return }
        let times = clients.values.compactMap(\.times.last).sorted()
        let middle = times[times.count / 2]
        clients = clients.filter { ($0.value.times.last ?? now) >= middle }
        if clients.count > clientsMax { clients = [:] }
    }
}

extension FlapWatch: Sendable where Client: Sendable {}
