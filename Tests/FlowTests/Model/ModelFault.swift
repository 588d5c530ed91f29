/// What goes wrong in the model. Each must really have happened in a run of the test.
enum ModelFault: Int, CaseIterable {
    case entryLost, tailLost, flush, hintAfterFlush
    case ingesterRestart, ingesterZombie, zombieAppend, paused
    case replyLost, appendLost, appendCut, appendHalfRefused, appendLate, settledOutOfOrder
    case workerKilled, shardHalted, shardShed
    case takeOver, firstOpenLost, shedCaughtUp
    case relayReset, windowPassed, gapDeclared
    case renumberedWhileReading, renumberedAtConnect, openedAndCrashed, renumberedByLedger
    case holeSeen, unopenedSeen, rewindHonoured, rewindOutdated, hintUsed, duplicateSeen, staleSeen
}
