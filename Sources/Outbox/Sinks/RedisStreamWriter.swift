import Broker
import Events
import RedisClient

/// Appends events to a stream in Redis that may hold several runs: ids are Redis' own, and entries have `run seq kind event`, the last in the sink's form.
///
/// The cursor of each run stands in the hash `{stream}:cursors`, as `epoch:seq`, and moves in the script that appends: a batch that comes again after
/// a crash is dropped, as long as this Redis keeps what it has taken. A Redis that lost its last second has lost entries and cursors together, and
/// what was marked as delivered meanwhile does not come again: a reader that finds a hole in a run's seqs asks for a rewind.
struct RedisStreamWriter: SinkWriter {
    let redis: RedisClient
    let stream: String
    let length: Int
    let timeout: Duration
    /// Whether the connections are this writer's own.
    let closes: Bool

    private static let script = String(decoding: PackageResources.append_stream_lua, as: UTF8.self)

    /// In the stream's slot of a cluster.
    static func cursors(of stream: String) -> String { stream.contains("{") ? "\(stream):cursors" : "{\(stream)}:cursors" }

    func deliver(_ batch: SinkBatch) async throws(DeliveryError) {
        var commands = RedisBatch(capacityBytes: batch.bytes + 1024 + batch.items.count * 64)
        commands.append("EVAL", argumentCount: 7 + batch.items.count * 3) { writer in
            writer.write(Self.script)
            writer.write(2)
            writer.write(stream)
            writer.write(Self.cursors(of: stream))
            writer.write(batch.run.description)
            writer.write(batch.isAlone ? -1 : batch.epoch)
            writer.write(length)
            for item in batch.items {
                writer.write(item.event.seq)
                writer.write(item.event.kind.rawValue)
                writer.write(item.bytes)
            }
        }
        do {
            let replies = try await redis.send(commands, affinity: batch.run.liveShard, timeout: timeout)
            _ = try replies[0].get()
        } catch {
            if error.code == .cancelled { throw DeliveryError(.cancelled, "\(error)") }
            throw DeliveryError.transient("\(error)")
        }
    }

    func close() async { if closes { await redis.shutDown() } }
}
