import Events

@testable import Ledger
@testable import Serve

/// A registry of sinks in memory, and what was ordered.
actor MemorySinks: SinkAdminStore {
    private(set) var sinks: [SinkName: RegisteredSink] = [:]
    private(set) var orders: [String] = []
    private var letters: [Int64: DeadLetter] = [:]
    private var reports: [SinkName: [SinkConsumer]] = [:]
    private var progress: [SinkName: SinkProgress] = [:]

    func say(_ name: SinkName, _ progress: SinkProgress, _ consumers: [SinkConsumer]) { (self.progress[name], reports[name]) = (progress, consumers) }
    /// Something of everything that can be known, and letter 7.
    func fill(_ name: SinkName?) {
        guard let name else { return }
        let (now, run) = (WallTime(microseconds: 1), RunID("r/1"))
        let report = SinkConsumerReport(
            sink: name, generation: 1, state: "backing_off", since: now, breaker: "half_open", delivered: 1, perSecond: 1.5, failures: 2,
            error: "HTTP 500", errorAt: now, retryAt: now)
        var progress = SinkProgress(
            pendingRuns: 1, backlog: 2, lagMs: 3, retryAt: now, attempts: 1, error: "HTTP 500", haltedRuns: 1, haltedRun: "r/1", haltedReason: "gap")
        progress.letters = 1
        say(name, progress, [SinkConsumer(worker: "w", report: report, heartbeatAt: now)])
        add(
            DeadLetter(
                id: 7, queue: "sink", key: name.description, run: run, seq: 4, error: "HTTP 422", attempts: 5, state: .dead, deadAt: now,
                changedAt: now, payload: #"{"n":1}"#))
    }

    func add(_ letter: DeadLetter) { letters[letter.id] = letter }

    func sinkViews(_ name: SinkName?) async throws(LedgerError) -> [SinkView] {
        sinks.values.filter { name == nil || $0.name == name }.sorted { $0.name < $1.name }.map {
            SinkView(sink: $0, progress: progress[$0.name] ?? SinkProgress(), consumers: reports[$0.name] ?? [])
        }
    }

    func storeSink(_ definition: SinkDefinition, origin: RegisteredSink.Origin, onlyNew: Bool) async throws(LedgerError) -> SinkStored {
        let old = sinks[definition.name]
        if old != nil, onlyNew { return .taken }
        if old?.settings == definition.settings { return .same }
        sinks[definition.name] = RegisteredSink(
            name: definition.name, settings: definition.settings, state: .running, origin: origin, generation: (old?.generation ?? 0) + 1,
            createdAt: WallTime(microseconds: 0))
        return old == nil ? .made : .changed
    }

    func removeSink(_ name: SinkName) async throws(LedgerError) -> Bool { sinks.removeValue(forKey: name) != nil }

    func setSink(_ name: SinkName, _ state: RegisteredSink.State) async throws(LedgerError) -> Bool {
        sinks[name]?.state = state
        return sinks[name] != nil
    }

    func resetSink(_ name: SinkName, run: RunID?) async throws(LedgerError) -> Bool {
        orders.append("reset \(name) \(run?.description ?? "all")")
        return sinks[name] != nil
    }

    func rewindSink(_ name: SinkName, to start: SinkStart, run: RunID?) async throws(LedgerError) -> Bool {
        orders.append("rewind \(name) \(start) \(run?.description ?? "all")")
        return sinks[name] != nil
    }

    func deadLetters(sink: SinkName?, withSkipped: Bool, before: Int64?, limit: Int) async throws(LedgerError) -> [DeadLetter] {
        letters.values.sorted { $0.id > $1.id }.filter { letter in
            (sink == nil || letter.key == sink?.description) && (withSkipped || letter.state != .skipped) && before.map { letter.id < $0 } ?? true
        }.prefix(limit).map { $0 }
    }

    func deadLetter(_ id: Int64) async throws(LedgerError) -> DeadLetter? { letters[id] }
    func requeueLetter(_ id: Int64) async throws(LedgerError) -> Bool { settle(id, .requeued) }
    func skipLetter(_ id: Int64) async throws(LedgerError) -> Bool { settle(id, .skipped) }

    private func settle(_ id: Int64, _ state: DeadLetter.State) -> Bool {
        guard let letter = letters[id], letter.state != state else { return false }
        letters[id]?.state = state
        return true
    }
}
