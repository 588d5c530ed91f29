import Foundation
import PostgresClient
import Simulator
import TestSupport
import Testing

@Suite("Whole fleet: labelers")
struct LabelsTests {
    private struct Answer: Decodable {
        struct Label: Decodable {
            var src: String
            var val: String
            var cid: String?
        }
        var labels: [Label]
    }

    @Test(
        "three labelers, by address and by DID, withdraw, let end, forge, hang up and start anew, a worker is killed: log and API say what labelers say",
        .timeLimit(.minutes(3)))
    func labels() async throws {
        let seed = TestSeed("labels")
        let shares = LabelConfiguration(labelsPerSecond: 0, negationShare: 0.25, expiryShare: 0.8, accountShare: 0.4)
        try await FleetUnderTest.run(
            seed: seed.value, accounts: 60, settings: ScenarioLeases.settings.merging(["WEIR_ALLOW_PRIVATE_HOSTS": "true"]) { $1 },
            simulator: {
                $0.labelers = LabelerConfiguration.several(3)
                $0.labels = shares
            }
        ) { fleet in
            let addresses = fleet.simulator.addresses
            let labelers = ["WEIR_LABELER_HOSTS": addresses.labelerURLs[..<2].joined(separator: ","), "WEIR_LABELER_DIDS": addresses.labelerDIDs[2]]
            for number in 1...2 { _ = try await fleet.start("ingest labeler \(number)", ["ingest", "labeler"], settings: labelers) }
            let victim = try await fleet.start("worker to die", "worker")
            _ = try await fleet.start("worker 2", "worker")
            _ = try await fleet.startAPI()

            try await fleet.step("labels come while a worker dies, connections are cut and labels are forged") {
                try await fleet.simulator.setLabels(perSecond: 300, max: 900)
                try await fleet.simulator.take(FaultOrder(kind: .labelBadSignature, labeler: 1, count: 3))
                try await fleet.simulator.take(FaultOrder(kind: .cutMidFrame, labeler: 2, count: 1))
                try await fleet.waitUntil("a third is logged") { pool in try await LabelComparison.logged(pool) >= 300 }
                #expect(await victim.end(SIGKILL) == 128 + SIGKILL)
                try await Self.settle(fleet)
                try fleet.require(fleet.simulator.faults.count(.cutMidFrame, labeler: 2) == 1, "no connection was cut")
                #expect(try await fleet.refused(["badSignature"]) == 3)
            }
            try await fleet.step("a labeler starts its numbers anew") {
                try await fleet.simulator.take(FaultOrder(kind: .renumber, labeler: 0))
                try await fleet.simulator.setLabels(perSecond: 300, max: 600)
                try await Self.settle(fleet)
                #expect(fleet.simulator.faults.count(.renumber, labeler: 0) == 1)
                let epochs = try await FleetUnderTest.number(
                    fleet.pool,
                    "SELECT max(w.epoch) FROM weir.watermarks w JOIN weir.upstreams u ON u.id = w.upstream WHERE u.host = '\(addresses.labelers[0])'")
                #expect(epochs == 1, "its new numbers are a new epoch")
            }
            try await Self.compareAnswers(fleet)
        }
    }

    /// Ends production, waits until each statement is logged, and compares.
    private static func settle(_ fleet: FleetUnderTest) async throws {
        try await fleet.waitUntil("labelers have said all") { _ in try await fleet.simulator.status().quiescent }
        // Beside each forged label stands a sound one, which is counted by itself.
        let forged = fleet.simulator.faults.count(.labelBadSignature)
        let said = Int64(try await fleet.simulator.status().labelsProduced + forged)
        var timeout: (any Error)?
        do {
            try await fleet.waitUntil("all of \(said) statements are logged") { pool in try await LabelComparison.logged(pool) >= said }
        } catch { timeout = error }
        var differences = try await LabelComparison.differences(fleet.pool, fleet.simulator)
        let logged = try await LabelComparison.logged(fleet.pool)
        if logged != said { differences.append("\(said) were said, \(logged) are logged") }
        if let timeout { differences.append("\(timeout)") }
        try fleet.require(differences.isEmpty, differences.joined(separator: "\n"))
        fleet.journal.note("log = labelers: \(said) statements, \(try await LabelComparison.withdrawals(fleet.pool)) of them withdraw")
    }

    /// `GET /labels` of each subject that was ever labeled, where labels have ended by themselves meanwhile.
    private static func compareAnswers(_ fleet: FleetUnderTest) async throws {
        try await fleet.step("the API answers with what stands") {
            #expect(try await LabelComparison.withdrawals(fleet.pool) > 100)
            try await fleet.waitUntil("a label has ended by itself") { _ in
                let (all, current) = (await fleet.simulator.currentLabels(expired: true), await fleet.simulator.currentLabels())
                return all.count > current.count
            }
            // Those that end in the next minute may end between two looks.
            let standing = await fleet.simulator.currentLabels()
            let all = await fleet.simulator.currentLabels(expired: true)
            let ended = Set(all.map(LabelComparison.Standing.init)).subtracting(standing.map(LabelComparison.Standing.init))
            let soon = Timestamps.text(secondsAhead: 60)
            let uncertain = Set(standing.filter { ($0.exp ?? soon) < soon }.map(\.uri))
            let subjects = Set(ended.map(\.uri)).union(all.map(\.uri).sorted().prefix(60)).subtracting(uncertain)
            try fleet.require(!subjects.isDisjoint(with: ended.map(\.uri)), "no subject has a label that ended")
            for uri in subjects.sorted() {
                let query = uri.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                let answer = try await fleet.get("/labels?uri=\(query)", as: Answer.self)
                let said = standing.filter { $0.uri == uri }.map { "\($0.src) \($0.val) \($0.cid ?? "")" }
                #expect(answer.labels.map { "\($0.src) \($0.val) \($0.cid ?? "")" }.sorted() == said.sorted(), "\(uri)")
            }
            fleet.journal.note("\(subjects.count) subjects were asked for, \(ended.count) labels had ended")
        }
    }

    private enum Timestamps {
        /// As labelers write times.
        static func text(secondsAhead: Double) -> String {
            let formatter = ISO8601DateFormatter()
            formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
            return formatter.string(from: Date(timeIntervalSinceNow: secondsAhead))
        }
    }
}
