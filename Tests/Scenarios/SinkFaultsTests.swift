import Events
import Foundation
import PostgresClient
import Simulator
import TestSupport
import Testing

/// Sinks of a whole fleet while their targets and their workers fail: every record is the log, and no sink pays for another.
@Suite("Whole fleet: sinks fail, one by one")
struct SinkFaultsTests {
    private static let settings = ["WEIR_ALLOW_PRIVATE_HOSTS": "true"]

    @Test(
        "a webhook is down for a minute among five sinks: the others' lag is what it was, it catches up, and sinks come and go, each with the whole log",
        .timeLimit(.minutes(8)))
    func aMinute() async throws {
        let (seed, endpoint, folder) = (TestSeed("sinks"), SinkEndpoint(), try TestFolder.make("sink-faults"))
        try await WebhookReceiver.with({ call, _ in endpoint.answer(call) }) { receiver in
            let settings = Self.settings.merging(["WEIR_SINK_FOLDER": folder]) { $1 }
            try await FleetUnderTest.run(seed: seed.value, settings: settings) { fleet in
                let outage = SinkOutage(fleet: fleet, endpoint: endpoint, receiver: receiver, folder: folder)
                try await outage.start()
                try await outage.lastAMinute()
                try await outage.changed()
                try await outage.compare()
            }
        }
    }

    @Test(
        "a worker stopped past its lease repeats events under their keys only; after a restart of everything sinks of Postgres are there before their first batch; poison halts or is laid aside",
        .timeLimit(.minutes(8)))
    func stoppedAndRestarted() async throws {
        let (seed, endpoint) = (TestSeed("sinks"), SinkEndpoint())
        try await WebhookReceiver.with({ call, _ in endpoint.answer(call) }) { receiver in
            try await FleetUnderTest.run(seed: seed.value, settings: Self.settings) { fleet in
                try await CrashFleet.explaining(seed, fleet) { crashes in
                    let zombies = SinkZombies(crashes: crashes, receiver: receiver)
                    try await zombies.start()
                    var generator = seed.generator()
                    for point in [CrashPoint.sinkAfterDeliverBeforeMark, .sinkBeforeDeliver] {
                        try await zombies.stopAndWake(CrashOrder(point, .stop, count: Int.random(in: 2...6, using: &generator)))
                    }
                    try await zombies.restartEverything()
                    try await SinkPoison(fleet: fleet, endpoint: endpoint, receiver: receiver).run()
                    try await zombies.compare()
                }
            }
        }
    }
}
