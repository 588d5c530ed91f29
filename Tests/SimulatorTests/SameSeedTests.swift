import ATProto
import Testing

@testable import Simulator

/// What a seed made once it makes for ever: scenarios, benches and their figures are told by it.
@Suite struct SameSeedTests {
    @Test("a seed gives the events, the faults' commits and the archives that it has always given")
    func events() async throws {
        var configuration = SimulatorConfiguration(seed: 77, accounts: 40, startMicroseconds: SimulatedNetworkTests.start)
        configuration.content.initialRecordsMax = 90
        configuration.content.accountPerThousand = 30
        let network = SimulatedNetwork(configuration: configuration, startMicroseconds: SimulatedNetworkTests.start)
        try await network.build()
        var lines: [UInt8] = []
        func note(_ event: NetworkEvent) {
            lines += RecordLine.event(event, n: 1, time: Timestamp.bytes(microseconds: event.microseconds))
        }
        for _ in 0..<6 {
            for event in try await network.next(200) { note(event) }
            for kind in [FaultKind.badSignature, .wrongTree, .futureRev] { note(try await network.forge(kind, relay: 0)) }
            note(try await network.diverge())
            note(await network.rotateKey())
        }
        #expect("\(CID(hashing: lines))" == "bafyreiddz7e62ptiyprjy2d62m6vhratqtkm5yn475os3gpikfxk43fjsm")

        // Only of keys of k256: the others' library signs with chance.
        var archives: [UInt8] = []
        for did in await network.dids {
            guard let identity = await network.identity(of: did), try VerificationKey(multikey: identity.multikey).curve == .k256 else { continue }
            if case .success(let car) = await network.repository(of: did) { archives += car }
        }
        #expect("\(CID(hashing: archives))" == "bafyreidqali7xtjzbgzolya6izyfoo7pnmib7d32wkgydsgly43bneh6zm")
    }

    @Test("a schedule of faults falls on the events that it has always fallen on")
    func schedules() {
        var plan = FaultPlan(seed: 77, relays: 2)
        for kind in [FaultKind.malformedFrame, .duplicate, .badSignature, .syncDivergence, .cutMidFrame, .silent, .hostBusy] {
            plan.take(FaultOrder(kind: kind, everyEvents: 40))
        }
        let text = (0..<600).map { event in plan.next().map { "\(event) \($0.order.kind.rawValue) \($0.relay)" }.joined(separator: ",") }
        #expect("\(CID(hashing: Array(text.joined(separator: "\n").utf8)))" == "bafyreiffqtnnjp3dlyxooxjnfud3u4pn745jydgqlekhs3cqa3q4bxao3y")
    }
}
