import Synchronization

/// A progress bar that is told from any thread, and begins anew with each title.
final class SharedProgress: Sendable {
    private let current = Mutex<(title: String, bar: ProgressBar)?>(nil)

    func show(_ title: String, _ done: Int, _ total: Int, note: String = "") {
        current.withLock { current in
            if current?.title != title {
                current?.bar.finish()
                current = (title, ProgressBar(title))
            }
            current?.bar.show(done, of: total, note: note)
        }
    }

    func finish(_ result: String = "done") {
        current.withLock { current in
            current?.bar.finish(result)
            current = nil
        }
    }
}
