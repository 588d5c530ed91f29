/// Takes over who may use the API when that changes while it runs.
struct AccessKeeper: Sendable {
    let gate: AccessGate
    let every: Duration
    /// Nil where nothing has changed. Quick: it is called without pause between others' work.
    let changed: @Sendable () -> APIAccess?

    /// Until cancelled.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: every)
            if let access = changed() { gate.replace(access) }
        }
    }
}
