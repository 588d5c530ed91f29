import Fleet

/// Looks at a fleet through its API until something is so.
struct FleetProbe: Sendable {
    var client: APIClient
    var every: Duration = .milliseconds(50)

    /// Nil where the API does not answer: it may not be up yet, or was killed.
    func status() async -> BenchStatus? {
        guard let answer = try? await client.get("/status", timeout: .seconds(5)), answer.status == 200, let tree = JSONTree(answer.body) else {
            return nil
        }
        return BenchStatus(tree)
    }

    /// - Throws: a failure with the complaint after `patience`.
    @discardableResult
    func wait(upTo patience: Duration, _ complaint: String, until isDone: (BenchStatus) async throws -> Bool) async throws -> BenchStatus {
        let deadline = ContinuousClock.now + patience
        while true {
            try Task.checkCancellation()
            if let status = await status(), try await isDone(status) { return status }
            guard ContinuousClock.now < deadline else { throw Failure("\(complaint) within \(TimeText.short(patience))") }
            try await Task.sleep(for: every)
        }
    }
}
