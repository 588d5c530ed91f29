import Foundation
import Logging
import RedisClient
import ServiceLifecycle

/// The shared connections to Redis as a service: it closes them when the process ends.
struct RedisConnections: Service {
    let client: RedisClient

    func run() async throws {
        try? await gracefulShutdown()
        await client.shutDown()
    }
}
