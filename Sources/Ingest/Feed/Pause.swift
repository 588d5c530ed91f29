import ServiceLifecycle

/// Waits that a graceful shutdown and a cancellation end at once.
enum Pause {
    static func sleep(_ duration: Duration) async {
        // Either end of the wait is an end: the caller looks at what it waited for.
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
    }

    static func untilShutdown() async { try? await gracefulShutdown() }
}
