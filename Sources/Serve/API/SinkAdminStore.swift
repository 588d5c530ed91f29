public import Events
public import Ledger

/// What serving needs of the ledger about sinks; a seam for tests.
public protocol SinkAdminStore: Sendable {
    func sinkViews(_ name: SinkName?) async throws(LedgerError) -> [SinkView]
    func storeSink(_ definition: SinkDefinition, origin: RegisteredSink.Origin, onlyNew: Bool) async throws(LedgerError) -> SinkStored
    func removeSink(_ name: SinkName) async throws(LedgerError) -> Bool
    func setSink(_ name: SinkName, _ state: RegisteredSink.State) async throws(LedgerError) -> Bool
    func resetSink(_ name: SinkName, run: RunID?) async throws(LedgerError) -> Bool
    func rewindSink(_ name: SinkName, to start: SinkStart, run: RunID?) async throws(LedgerError) -> Bool
    func deadLetters(sink: SinkName?, withSkipped: Bool, before: Int64?, limit: Int) async throws(LedgerError) -> [DeadLetter]
    func deadLetter(_ id: Int64) async throws(LedgerError) -> DeadLetter?
    func requeueLetter(_ id: Int64) async throws(LedgerError) -> Bool
    func skipLetter(_ id: Int64) async throws(LedgerError) -> Bool
}

extension Ledger: SinkAdminStore {}
