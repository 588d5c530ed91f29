import Fleet

/// The control API of a simulated network in another process.
struct NetworkControl: Sendable {
    struct Relay: Sendable {
        /// Messages that it has numbered.
        var messages: Int
        /// Frames on their way to readers, those too that a reconnect brought again.
        var sent: Int
        /// Readers so far: above one, the reader came back.
        var connections: Int
        var bytes: Int
        var lastSeq: Int64
    }

    var client: APIClient

    /// - Parameter waited: told how many seconds it has been.
    func waitUntilServing(_ waited: (Int) -> Void) async throws {
        let begun = ContinuousClock.now
        while (try? await relay()) == nil {
            let seconds = Int((ContinuousClock.now - begun) / .seconds(1))
            guard seconds < 180 else { throw Failure("the simulator does not serve after three minutes") }
            waited(seconds)
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Sends so many messages, as fast as its reader takes them.
    func press(_ messages: Int) async throws {
        try await client.post("/sim/rate", json: "{\"events_per_second\":\"unlimited\",\"events_max\":\(messages),\"follow_readers\":true}")
    }

    /// The first relay; nil where the answer is not understood.
    func relay() async throws -> Relay? {
        guard let tree = JSONTree(try await client.get("/sim/status").body), let relay = tree["relays"]?.items.first,
            let lastSeq = relay["last_seq"]?.integer
        else { return nil }
        return Relay(
            messages: Int(relay["messages"]?.integer ?? 0), sent: Int(relay["frames_sent"]?.integer ?? 0),
            connections: Int(relay["connections_total"]?.integer ?? 0), bytes: Int(relay["bytes_sent"]?.integer ?? 0), lastSeq: lastSeq)
    }
}
