/// What all accounts hold, one after the other in their order; each is taken at one instant, when it is its turn.
///
/// Throws `buildFailed` where a repository that nobody needed before cannot be made.
public struct RepositorySnapshots: AsyncSequence, Sendable {
    let network: SimulatedNetwork

    public func makeAsyncIterator() -> Iterator { Iterator(network: network) }

    public struct Iterator: AsyncIteratorProtocol {
        let network: SimulatedNetwork
        private var place = 0

        init(network: SimulatedNetwork) { self.network = network }

        public mutating func next() async throws -> RepositorySnapshot? {
            guard let holding = try await network.holding(place) else { return nil }
            place += 1
            return holding.snapshot
        }
    }
}
