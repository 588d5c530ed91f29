internal import PostgresClient

/// Wake-ups of appends: the names of runs, an empty text where some may have been lost.
///
/// Each iterator has a connection of its own, made at its first element and again, after a pause, whenever it is lost. Ends with its task.
struct AppendNotifications: AsyncSequence, Sendable {
    typealias Element = String
    typealias Failure = any Error

    let configuration: PostgresConfiguration
    let channel: String

    func makeAsyncIterator() -> Iterator { Iterator(configuration: configuration, channel: channel) }

    struct Iterator: AsyncIteratorProtocol {
        private let configuration: PostgresConfiguration
        private let channel: String
        private var source: PostgresNotifications.Iterator?
        private var failures = 0

        /// Pauses between attempts to connect grow up to this one.
        private static let pauseMax: Duration = .seconds(5)

        init(configuration: PostgresConfiguration, channel: String) {
            self.configuration = configuration
            self.channel = channel
        }

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> String? {
            while !Task.isCancelled {
                do {
                    guard var source else {
                        let connection = try await PostgresConnection.connect(configuration)
                        source = try await connection.notifications(on: [channel]).makeAsyncIterator()
                        failures = 0
                        // What was appended before this moment was told to nobody.
                        return ""
                    }
                    switch try await source.next(isolation: actor) {
                    case .notification(let notification): return notification.payload
                    case .overflow: return ""
                    case nil: return nil
                    }
                } catch {
                    source = nil
                    failures = Swift.min(failures + 1, 16)
                    let pause = Swift.min(.milliseconds(50) * (1 << failures), Self.pauseMax)
                    guard (try? await Task.sleep(for: pause * Double.random(in: 0.5...1))) != nil else { return nil }
                }
            }
            return nil
        }
    }
}
