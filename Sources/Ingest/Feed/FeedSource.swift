import Events

/// An upstream as it is configured: by its address, or by a labeler's DID, whose address its document says.
enum FeedSource: Hashable, Sendable {
    case host(WebSocketEndpoint)
    case labeler(did: String)

    /// The upstream's name. A labeler's stays when it moves to another host.
    var host: String {
        switch self {
        case .host(let endpoint): endpoint.authority
        case .labeler(let did): did
        }
    }

    /// Where it listens now.
    ///
    /// - Parameter last: where it listened last, which counts while nobody can tell.
    func endpoint(_ directory: (any LabelerDirectory)?, last: String? = nil) async throws(ConnectionEnd) -> WebSocketEndpoint {
        switch self {
        case .host(let endpoint): return endpoint
        case .labeler(let did):
            guard let directory else { throw ConnectionEnd(.unresolved("DIDs are not resolved here")) }
            switch await directory.location(of: did) {
            case .found(let address):
                do {
                    return try WebSocketEndpoint(address)
                } catch {
                    throw ConnectionEnd(.unresolved("its document names an address that cannot be used: \(error.problem)"))
                }
            case .absent(let reason): throw ConnectionEnd(.unresolved(reason))
            case .unknown(let reason):
                guard let last, let endpoint = try? WebSocketEndpoint(last) else { throw ConnectionEnd(.unresolved(reason)) }
                return endpoint
            }
        }
    }

    /// Returns when a labeler's document names another address than `endpoint`, or when cancelled. What cannot be told, or is told no more,
    /// ends no connection that works.
    func watch(_ endpoint: WebSocketEndpoint, _ directory: (any LabelerDirectory)?, every interval: Duration) async -> ConnectionEnd {
        while !Task.isCancelled {
            do { try await Task.sleep(for: interval) } catch { break }
            guard let current = try? await self.endpoint(directory), current != endpoint else { continue }
            return ConnectionEnd(.moved(to: current.description))
        }
        return ConnectionEnd(.cancelled)
    }
}
