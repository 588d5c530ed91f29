import ATProto
import Broker
import Events
import Flow
import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Ingest

@Suite(.timeLimit(.minutes(10))) struct FeedIngesterTests {
    private func expectAll(_ numbers: ClosedRange<Int64>, _ lab: IngestLab) {
        let state = lab.fleet.state
        let applied = state.applied[lab.host] ?? [:]
        #expect(numbers.allSatisfy { applied[$0] != nil }, "missing: \(numbers.filter { applied[$0] == nil }.prefix(5))")
        #expect(applied.count == numbers.count)
    }

    @Test("what a relay has is appended densely, in order of each DID, with barriers up to the last") func wholeStream() async throws {
        try await IngestLab.run {
            $0.start = .earliest
        } _: { lab in
            lab.relay.publish(1...3_000)
            try await lab.withReplica {
                await lab.fleet.until { $0.seen(lab.host) == 3_000 && $0.watermark(lab.host) == Position(epoch: 0, seq: 3_000) }
            }
            let state = lab.fleet.state
            self.expectAll(1...3_000, lab)
            #expect(state.applied[lab.host]?.values.allSatisfy { $0 == 1 } == true)
            #expect(state.order.values.allSatisfy { $0 == $0.sorted() })
            #expect(state.rewinds == 0)
            #expect(state.sessions.map(\.from) == [Position(epoch: 0, seq: 0)])
        }
    }

    @Test("barriers come also while the upstream is quiet") func quiet() async throws {
        try await IngestLab.run {
            $0.start = .after(7)
        } _: { lab in
            try await lab.withReplica { await lab.fleet.until { $0.barriers >= 20 } }
            #expect(lab.fleet.state.watermark(lab.host) == Position(epoch: 0, seq: 7))
        }
    }

    @Test("a live start begins just before the first message that comes") func liveStart() async throws {
        try await IngestLab.run { lab in
            lab.relay.publish(1...10)
            try await lab.withReplica {
                try await lab.relay.asked { !$0.isEmpty }
                lab.relay.publish(11...12)
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 12) }
            }
            #expect(lab.relay.cursors == [nil])
            #expect(
                lab.fleet.state.sessions.first?.from == Position(epoch: 0, seq: lab.fleet.state.applied[lab.host]?.keys.min().map { $0 - 1 } ?? 0))
        }
    }

    @Test("connections that are cut again and again lose nothing") func cuts() async throws {
        let relay = ScriptedRelay()
        relay.state.withLock { $0.cutAfter = 150 }
        try await IngestLab.run(relay: relay) {
            $0.start = .earliest
        } _: { lab in
            relay.publish(1...1_000)
            try await lab.withReplica { await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 1_000) } }
            self.expectAll(1...1_000, lab)
            #expect(relay.cursors.count >= 6)
        }
    }

    @Test("of two replicas one reads; after a graceful end the other goes on where it stopped, without waiting for the lease to run out")
    func handOver() async throws {
        try await IngestLab.run {
            $0.start = .earliest
        } _: { lab in
            lab.relay.publish(1...500)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let firstIsUp = Doorbell()
                group.addTask {
                    await firstIsUp.wait()
                    try await lab.withReplica("second") { await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 900) } }
                }
                try await lab.withGracefulReplica("first") {
                    await lab.fleet.until { $0.seen(lab.host) == 500 }
                    firstIsUp.ring()
                }
                #expect(lab.fleet.state.ended.contains("shutdown"))
                lab.relay.publish(501...900)
                try await group.waitForAll()
            }
            self.expectAll(1...900, lab)
            #expect(lab.fleet.state.applied[lab.host]?.values.allSatisfy { $0 == 1 } == true)
        }
    }

    @Test("a replica that is killed is replaced when its lease runs out") func takeOver() async throws {
        try await IngestLab.run {
            $0.start = .earliest
        } _: { lab in
            lab.relay.publish(1...300)
            try await lab.withReplica("first") { await lab.fleet.until { $0.seen(lab.host) >= 100 } }
            // As a kill leaves it: nobody gave the lease back.
            lab.fleet.change { $0.owners[lab.host] = (WorkerID("first"), .now + .seconds(3_600)) }
            lab.relay.publish(301...600)
            try await lab.withReplica("second") {
                await lab.fleet.until { ($0.standBys[lab.host] ?? 0) > 0 }
                lab.fleet.change { $0.owners[lab.host]?.until = .now }
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 600) }
            }
            self.expectAll(1...600, lab)
            #expect(lab.fleet.state.tokens[lab.host] == 2)
        }
    }

    @Test("an owner that loses its lease appends nothing more") func lostLease() async throws {
        try await IngestLab.run {
            $0.start = .earliest
        } _: { lab in
            lab.relay.publish(1...100)
            try await lab.withReplica {
                await lab.fleet.until { $0.seen(lab.host) == 100 }
                let thief = WorkerID("thief")
                let until = ContinuousClock.now + .seconds(3_600)
                lab.fleet.change { state in
                    state.tokens[lab.host, default: 0] += 1
                    state.owners[lab.host] = (thief, until)
                }
                // The renewal finds out: it ends the session and asks for the lease again. From then on not even barriers come.
                await lab.fleet.until { ($0.standBys[lab.host] ?? 0) >= 1 }
                let before = lab.fleet.state.appends[lab.host]
                lab.relay.publish(101...200)
                await lab.fleet.until { ($0.standBys[lab.host] ?? 0) >= 10 }
                #expect(lab.fleet.state.appends[lab.host] == before)
            }
        }
    }

    @Test("at the high-water mark reading pauses, and nothing is lost") func highWater() async throws {
        try await IngestLab.run {
            $0.start = .earliest
            $0.highWater = HighWaterGate.Limits(highEntries: 300)
            $0.connection.queuedMessagesMax = 50
            $0.unacknowledged = SessionWriter.Limits(entries: 200, bytes: 1 << 20)
        } _: { lab in
            lab.fleet.change { $0.isWorking = false }
            lab.relay.publish(1...20_000)
            try await lab.withReplica {
                await lab.fleet.until { $0.reports[lab.host]?.state == .paused }
                let paused = lab.fleet.state.reports[lab.host]
                #expect(paused?.reason == "entries")
                #expect((paused?.events ?? 0) < 20_000)
                lab.fleet.change { $0.isWorking = true }
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 20_000) }
            }
            self.expectAll(1...20_000, lab)
            #expect(lab.fleet.state.rewinds == 0)
        }
    }

    @Test("after Redis lost everything the session is read again from the committed watermark") func flushed() async throws {
        try await IngestLab.run {
            $0.start = .earliest
        } _: { lab in
            lab.fleet.change { $0.isWorking = false }
            lab.relay.publish(1...500)
            try await lab.withReplica {
                await lab.fleet.until { $0.hints[lab.host]?.position.seq == 500 }
                lab.fleet.flush()
                lab.fleet.change { $0.isWorking = true }
                lab.relay.publish(501...1_000)
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 1_000) }
            }
            self.expectAll(1...1_000, lab)
            #expect(lab.fleet.state.ended.contains("rewind"))
        }
    }

    @Test("a full Redis that refuses single entries is retried until every shard is dense") func outOfMemory() async throws {
        try await IngestLab.run {
            $0.start = .earliest
        } _: { lab in
            let seed = TestSeed("refused entries")
            let generator = Mutex(seed.generator())
            let refusals = Mutex(0)
            lab.fleet.change { state in
                state.refuse = { item in
                    guard item.entry.n > 0, refusals.withLock({ $0 }) < 40 else { return nil }
                    guard generator.withLock({ Int.random(in: 0..<20, using: &$0) }) == 0 else { return nil }
                    refusals.withLock { $0 += 1 }
                    return BrokerError(code: .outOfMemory, message: "OOM", place: "XADD")
                }
            }
            lab.fleet.change { $0.isWorking = false }
            lab.relay.publish(1...2_000)
            try await lab.withReplica {
                await lab.fleet.until { $0.hints[lab.host]?.position == Position(epoch: 0, seq: 2_000) }
                // Nobody asked for a rewind yet: what the one session acknowledged must stand there, each number of it.
                for stream in lab.fleet.state.streams {
                    let numbers = Set(stream.map(\.n))
                    #expect(numbers.count == Int(numbers.max() ?? -1) + 1)
                }
                lab.fleet.change { $0.isWorking = true }
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 2_000) }
            }
            self.expectAll(1...2_000, lab)
            #expect(refusals.withLock { $0 } > 0, "\(seed)")
        }
    }

    @Test("a rewind that names another session is not honoured") func foreignRewind() async throws {
        try await IngestLab.run {
            $0.start = .earliest
        } _: { lab in
            lab.relay.publish(1...10)
            try await lab.withReplica {
                await lab.fleet.until { $0.seen(lab.host) == 10 }
                lab.fleet.change { $0.pendingRewind[lab.host] = 99 }
                lab.relay.publish(11...20)
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 20) }
                #expect(lab.fleet.state.sessions.count == 1)
            }
        }
    }

    @Test("an outdated cursor is a declared gap in front of a session of its own") func outdated() async throws {
        let relay = ScriptedRelay()
        relay.state.withLock { state in state.greeting = { _ in InfoMessage(name: "OutdatedCursor").frame() } }
        try await IngestLab.run(relay: relay) {
            $0.start = .after(10)
        } _: { lab in
            relay.publish(100...150)
            try await lab.withReplica { await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 150) } }
            self.expectAll(100...150, lab)
            let last = lab.fleet.state.sessions.last
            #expect(last?.from == Position(epoch: 0, seq: 99))
            #expect(last?.gap == UpstreamEntry.Gap(after: Position(epoch: 0, seq: 10), through: Position(epoch: 0, seq: 99)))
        }
    }

    private static let futureCursor: @Sendable (Int64?) -> [UInt8]? = { cursor in
        (cursor ?? 0) > 1_000 ? ErrorMessage(error: "FutureCursor", message: "ahead").frame() : nil
    }

    @Test("a cursor in the future stops the upstream, which says so and does not spin") func futureStop() async throws {
        let relay = ScriptedRelay()
        relay.state.withLock { $0.greeting = Self.futureCursor }
        try await IngestLab.run(relay: relay) {
            $0.start = .after(5_000)
        } _: { lab in
            try await lab.withGracefulReplica {
                await lab.fleet.until { $0.reports[lab.host]?.state == .stopped }
                // It is alive for long enough to have connected again many times.
                let reports = lab.fleet.state.reportCounts[lab.host] ?? 0
                await lab.fleet.until { ($0.reportCounts[lab.host] ?? 0) >= reports + 5 }
            }
            #expect(relay.cursors == [5_000])
            #expect(lab.fleet.state.owners[lab.host] == nil)
        }
    }

    @Test("a cursor in the future goes on live in a new epoch, behind a declared gap") func futureLive() async throws {
        let relay = ScriptedRelay()
        relay.state.withLock { $0.greeting = Self.futureCursor }
        try await IngestLab.run(relay: relay) {
            $0.start = .after(5_000)
            $0.futureCursor = .live
        } _: { lab in
            try await lab.withReplica {
                try await relay.asked { $0.contains(nil) }
                relay.publish(3...9)
                await lab.fleet.until { $0.watermark(lab.host)?.epoch == 1 && $0.watermark(lab.host)?.seq == 9 }
            }
            let last = lab.fleet.state.sessions.last
            #expect(last?.gap?.after == Position(epoch: 0, seq: 5_000))
            #expect(last?.gap?.through == last?.from)
        }
    }

    @Test("numbers that fall inside a connection open a new epoch") func falling() async throws {
        try await IngestLab.run {
            $0.start = .after(4_999)
        } _: { lab in
            lab.relay.publish(5_000...5_100)
            try await lab.withReplica {
                await lab.fleet.until { $0.seen(lab.host) == 101 }
                lab.relay.publish(1...50)
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 1, seq: 50) }
            }
            let last = lab.fleet.state.sessions.last
            #expect(last?.from == Position(epoch: 1, seq: 0))
            #expect(last?.gap?.after == Position(epoch: 0, seq: 5_100))
        }
    }

    @Test("a message that cannot be split is passed on as malformed, on the same connection") func malformed() async throws {
        try await IngestLab.run {
            $0.start = .earliest
        } _: { lab in
            lab.relay.publish(1...5)
            lab.relay.publish(frames: [(5, [0xFF, 0x00]), (5, [])])
            lab.relay.publish(6...10)
            try await lab.withReplica { await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 10) } }
            #expect(lab.fleet.state.malformed == 2)
            #expect(lab.relay.cursors.count == 1)
        }
    }

    @Test("a host that cannot be reached does not touch another") func independentHosts() async throws {
        try await IngestLab.run {
            $0.start = .earliest
            if let dead = try? WebSocketEndpoint("ws://127.0.0.1:1") { $0.hosts.append(dead) }
        } _: { lab in
            lab.relay.publish(1...100)
            try await lab.withReplica {
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 100) && $0.reports["127.0.0.1:1"]?.state == .backingOff }
            }
            self.expectAll(1...100, lab)
        }
    }

    @Test("a halted shard at its quota is shed, the others go on, and it is read again when it is well") func shed() async throws {
        try await IngestLab.run {
            $0.start = .earliest
            $0.highWater = HighWaterGate.Limits(highEntries: 5_000, haltedShardEntries: 20)
        } _: { lab in
            let shard = lab.fleet.shards.shard(of: "did:web:d1.test")
            lab.fleet.change { $0.haltedShards = [shard] }
            lab.relay.publish(1...500)
            try await lab.withReplica {
                await lab.fleet.until { $0.streams[shard].last?.shed == true }
                lab.relay.publish(501...1_000)
                await lab.fleet.until { $0.streams[shard].last.map { $0.shed && $0.position.seq == 1_000 } ?? false }
                lab.fleet.change { $0.haltedShards = [] }
                await lab.fleet.until { $0.watermark(lab.host) == Position(epoch: 0, seq: 1_000) }
            }
            self.expectAll(1...1_000, lab)
            #expect(lab.fleet.state.ended.contains("rewind"))
        }
    }

    @Test("the same host twice stops the start") func duplicateHost() async throws {
        try await IngestLab.run {
            $0.hosts += $0.hosts
        } _: { lab in
            await #expect(throws: FeedIngester.DuplicateHost.self) { try await lab.ingester().run() }
        }
    }
}
