public import Broker
public import Events
import Logging
import RedisClient

/// A look into a Redis stream, for a person.
public enum StreamInspection {
    /// Entries of a stream, newest first; with `id` that one alone.
    ///
    /// - Parameters:
    ///   - stream: the key as `redis-cli` shows it; redis.prefix is put in front where it is missing.
    /// - Throws: ``ConfigurationError``, or `BrokerError` where Redis does not answer or the key is no stream.
    public static func entries(_ configuration: FleetConfiguration, stream: String, id: EntryID?, count: Int) async throws -> [StreamEntry] {
        let connections = try FleetConnections.redis(configuration)
        let client = RedisClient(connections, logger: Logger(label: "weir.inspect"))
        let keys = StreamKeys(prefix: configuration.redisPrefix)
        let streams = WorkStreams(redis: client, keys: keys, shards: ShardMap(count: configuration.shards))
        let key = stream.hasPrefix(keys.prefix) ? stream : keys.prefix + stream
        do {
            let entries = try await streams.inspect(stream: key, id: id, count: count)
            await client.shutDown()
            return entries
        } catch {
            await client.shutDown()
            throw error
        }
    }
}
