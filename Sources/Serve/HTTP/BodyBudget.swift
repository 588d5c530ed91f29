import Synchronization

/// How many bytes of requests' bodies a server holds, over all its event loops.
final class BodyBudget: Sendable {
    private let held = Atomic<Int>(0)
    let bytesMax: Int

    init(bytes: Int) { bytesMax = bytes }

    /// False where there is no room: nothing was taken.
    func take(_ bytes: Int) -> Bool {
        guard held.wrappingAdd(bytes, ordering: .relaxed).newValue > bytesMax else { return true }
        give(bytes)
        return false
    }

    func give(_ bytes: Int) { held.wrappingSubtract(bytes, ordering: .relaxed) }

    var now: Int { held.load(ordering: .relaxed) }
}
