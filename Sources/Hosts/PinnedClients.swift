internal import AsyncHTTPClient

/// The clients of strangers' hosts, one for each, and how many requests use each. What it returns as retired is to be shut down by the caller.
///
/// Bounded: idle ones by ``idleMax``, those in use by the requests that are under way.
struct PinnedClients: Sendable {
    private struct Entry: Sendable {
        var client: HTTPClient
        var address: String
        var until: ContinuousClock.Instant
        var users: Int
        var lastUse: Int
    }

    let idleMax: Int
    private var entries: [HostEndpoint: Entry] = [:]
    /// No longer given to anybody, still used.
    private var leaving: [ObjectIdentifier: (client: HTTPClient, users: Int)] = [:]
    private var uses = 0
    private var isClosed = false

    init(idleMax: Int) { self.idleMax = idleMax }

    /// A client whose address still stands; nil where there is none.
    mutating func take(_ endpoint: HostEndpoint, at now: ContinuousClock.Instant) -> HTTPClient? {
        guard let entry = entries[endpoint], now < entry.until else { return nil }
        use(endpoint)
        return entry.client
    }

    /// A client for an address that was just looked up and checked: the one that is there where its address is the same, else a new one.
    /// Nil where all is closed.
    mutating func take(
        _ endpoint: HostEndpoint, address: String, until: ContinuousClock.Instant, make: () -> HTTPClient
    ) -> (HTTPClient?, retired: [HTTPClient]) {
        if isClosed { return (nil, []) }
        if let entry = entries[endpoint], entry.address == address {
            entries[endpoint]?.until = until
            use(endpoint)
            return (entry.client, [])
        }
        var retired = retire(endpoint)
        let client = make()
        entries[endpoint] = Entry(client: client, address: address, until: until, users: 0, lastUse: 0)
        use(endpoint)
        retired += shedIdle()
        return (client, retired)
    }

    /// - Parameter isUsable: false where the host could not be reached, so its name is looked up before the next use.
    mutating func giveBack(_ client: HTTPClient, of endpoint: HostEndpoint, isUsable: Bool) -> [HTTPClient] {
        if let entry = entries[endpoint], entry.client === client {
            entries[endpoint]?.users -= 1
            return isUsable ? shedIdle() : retire(endpoint)
        }
        let id = ObjectIdentifier(client)
        guard let users = leaving[id]?.users else { return [] }
        if users > 1 {
            leaving[id]?.users -= 1
            return []
        }
        leaving[id] = nil
        return [client]
    }

    /// All, also those in use; none is given out any more.
    mutating func removeAll() -> [HTTPClient] {
        isClosed = true
        defer { (entries, leaving) = ([:], [:]) }
        return entries.values.map(\.client) + leaving.values.map(\.client)
    }

    private mutating func use(_ endpoint: HostEndpoint) {
        uses += 1
        entries[endpoint]?.users += 1
        entries[endpoint]?.lastUse = uses
    }

    private mutating func retire(_ endpoint: HostEndpoint) -> [HTTPClient] {
        guard let entry = entries.removeValue(forKey: endpoint) else { return [] }
        if entry.users == 0 { return [entry.client] }
        leaving[ObjectIdentifier(entry.client)] = (entry.client, entry.users)
        return []
    }

    private mutating func shedIdle() -> [HTTPClient] {
        let idle = entries.filter { $0.value.users == 0 }
        guard idle.count > idleMax else { return [] }
        return idle.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(idle.count - idleMax).flatMap { retire($0.key) }
    }
}
