import Events

@testable import Flow

extension ModelHistory {
    mutating func ingest(_ relay: Int) {
        guard var ingester = ingesters[relay] else {
            ingesters[relay] = open(relay)
            return
        }
        if relays[relay].epoch > ingester.epoch {
            ingesters[relay] = open(relay, following: ingester)
            return
        }
        if let named = rewinds[relay] {
            if named == ingester.session {
                note(.rewindHonoured)
                ingesters[relay] = open(relay)
                return
            }
            rewinds[relay] = nil
            note(.rewindOutdated)
        }
        advance(&ingester)
        if let hint = ingester.hint, random.once(in: 2) {
            hints[relay] = hint
            ingester.hint = nil
        } else if let position = ingester.writer.acknowledgedBarrier {
            ingester.hint = position
        }
        ingesters[relay] = ingester
    }

    /// A new session, numbered and fenced in Postgres. Nil where the process ends before its first append.
    mutating func open(_ relay: Int, following old: ModelIngester? = nil, reliably: Bool = false) -> ModelIngester? {
        let (from, gap) = start(relay, following: old)
        numberSession(relay, from: from, gap: gap)
        if !reliably, random.once(in: 12) {
            note(.openedAndCrashed)
            return nil
        }
        return ModelIngester(
            relay: relay, session: sessions, from: from, gap: gap, shards: shardCount, next: relays[relay].index(after: from))
    }

    /// From where the next session starts.
    private mutating func start(_ relay: Int, following old: ModelIngester?) -> (from: Position, gap: UpstreamEntry.Gap?) {
        let wanted: Position
        if baselines[relay] == nil {
            // The very first one, from all that is kept or from now on.
            wanted = random.once(in: 2) ? Position(epoch: relays[relay].epoch, seq: 0) : relays[relay].last
        } else if let hint = hints[relay], rewinds[relay] == nil, hint > committed(relay) {
            note(.hintUsed)
            wanted = hint
        } else {
            wanted = committed(relay)
        }
        let epoch = relays[relay].epoch
        guard wanted.epoch < epoch else { return relays[relay].resume(after: wanted) }
        if let old, old.underWay.isEmpty, old.writer.unacknowledgedEntries == 0 {
            // The numbers fell while the connection stood, and all that was read of the old ones stands in Redis.
            note(.renumberedWhileReading)
            let from = Position(epoch: epoch, seq: 0)
            return (from, UpstreamEntry.Gap(after: old.writer.position, through: from))
        }
        // The relay says that the cursor lies in its future: live from here on.
        note(.renumberedAtConnect)
        return (relays[relay].last, UpstreamEntry.Gap(after: wanted, through: relays[relay].last))
    }
}
