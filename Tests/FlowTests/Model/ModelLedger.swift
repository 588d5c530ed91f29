import Events

@testable import Flow

/// The rules by which the ledger of the model tells positions, where a new numbering leaves shards behind.
enum ModelLedger {
    /// A new numbering raises the upstream's baseline, and whoever takes a shard over sees the higher of baseline and watermark. What the shard
    /// still lacked of the old numbering is then behind a watermark that it never reached: lost, and told to nobody.
    case raisesBaseline
    /// A shard's watermark is its own, or the upstream's very first start, always. Only for the position to resume from does the start of the current numbering
    /// count where it is higher; the shard's owner meets the new numbering's opening, and declares what is between as a gap.
    case keepsWatermarks
}

extension ModelHistory {
    /// What an owner reads of one relay when it takes a shard over.
    func watermark(_ relay: Int, _ shard: Int) -> Position? {
        guard let baseline = baselines[relay] else { return nil }
        guard let own = shards[shard].watermarks[relay] else { return baseline }
        return ledger == .raisesBaseline ? max(own, baseline) : own
    }

    /// From where the relay is to be read again: the least of all shards, each at least at the start of the current numbering.
    func committed(_ relay: Int) -> Position {
        guard let numbering = numberings[relay] else { return Position(epoch: 1, seq: 0) }
        var watermarks = WatermarkSet(baseline: numbering, shards: shardCount)
        for shard in shards.indices { if let own = shards[shard].watermarks[relay] { watermarks.raise(shard, to: max(own, numbering)) } }
        return watermarks.safeCursor
    }

    /// Numbers a session: one statement in Postgres.
    mutating func numberSession(_ relay: Int, from: Position, gap: UpstreamEntry.Gap?) {
        sessions += 1
        currentSession[relay] = sessions
        rewinds[relay] = nil
        if let numbering = numberings[relay], baselines[relay] != nil {
            if from.epoch > numbering.epoch {
                numberings[relay] = from
                if ledger == .raisesBaseline { baselines[relay] = from }
            }
        } else {
            baselines[relay] = from
            numberings[relay] = from
            starts[relay] = from
        }
        guard let gap else { return }
        for message in relays[relay].history where message.position > gap.after && message.position <= gap.through {
            declared[relay][message.key] |= 1 << UInt64(message.rev)
        }
    }
}
