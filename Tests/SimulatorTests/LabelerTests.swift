import ATProto
import Foundation
import NIOHTTP1
import Testing

@testable import Simulator

@Suite(.timeLimit(.minutes(10))) struct LabelerTests {
    private static func configuration(labelers: Int = 2) -> SimulatorConfiguration {
        var configuration = SimulatorHarness.configuration(accounts: 12)
        configuration.labelers = LabelerConfiguration.several(labelers)
        configuration.labels.labelsPerSecond = 0
        return configuration
    }

    /// What the labelers have sent, when so many labels were made.
    private static func labeled(_ simulator: SimulatorHarness, _ count: Int) async throws -> [LabelTranscript] {
        try await simulator.service.setLabels(perSecond: .infinity, max: count)
        while try await !simulator.service.status().quiescent { await Task.yield() }
        var transcripts: [LabelTranscript] = []
        for (address, status) in zip(simulator.addresses.labelers, try await simulator.service.status().labelers) {
            var transcript = LabelTranscript()
            _ = try await RelayReader.read(address, path: RelayServer.labelerPath, cursor: 0) { frame in
                try transcript.take(frame)
                return transcript.lastSeq >= status.lastSeq
            }
            transcripts.append(transcript)
        }
        return transcripts
    }

    private static func key(_ simulator: SimulatorHarness, _ labeler: Int) async throws -> (document: DIDDocument, key: VerificationKey) {
        let did = simulator.addresses.labelerDIDs[labeler]
        let document = try DIDDocument(parsing: try await simulator.get("http://\(simulator.addresses.directory)/\(did)").body, did: did)
        return (document, try #require(document.labelKey))
    }

    @Test("every signed label verifies by the key of its labeler's document, and what they come to is what /sim/labels says")
    func labels() async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let transcripts = try await Self.labeled(simulator, 600)
            #expect(transcripts.reduce(0) { $0 + $1.labels.count } == 600)
            var current: [String: LabelTranscript.Label] = [:]
            var seen: Set<String> = []
            for (labeler, transcript) in transcripts.enumerated() {
                let (document, key) = try await Self.key(simulator, labeler)
                #expect(document.labeler == "http://\(simulator.addresses.labelers[labeler])")
                #expect(Array(Set(transcript.labels.map(\.seq))).sorted() == Array(1...Int64(transcript.frames.count)))
                for label in transcript.labels {
                    #expect(label["src"] == document.did)
                    #expect(label.signature == nil || label.isSigned(by: key))
                    let uri = try #require(label["uri"])
                    seen.insert(label.signature == nil ? "unsigned" : "signed")
                    seen.insert(uri.hasPrefix("at://") ? "record" : "account")
                    if label["cid"] != nil { seen.insert("version") }
                    if label["exp"] != nil { seen.insert("expiring") }
                    if label.isNegation { seen.insert("negation") }
                    current[label.identity] = label.isNegation ? nil : label
                }
                if transcript.counts.contains(where: { $0 > 1 }) { seen.insert("several") }
                let subjects = transcript.labels.filter { $0.seq == transcript.labels[0].seq }
                #expect(!subjects.isEmpty)
            }
            #expect(seen == ["signed", "unsigned", "record", "account", "version", "expiring", "negation", "several"])
            #expect(current.count > 200)

            let expected = Dictionary(uniqueKeysWithValues: current.map { ($0.key, [$0.value["cts"], $0.value["exp"]]) })
            var told: [String: [String?]] = [:]
            for label in await simulator.service.currentLabels(expired: true) {
                told["\(label.src) \(label.uri) \(label.cid ?? "") \(label.val)"] = [label.cts, label.exp]
            }
            #expect(told == expected)
            let lines = try await simulator.get("\(simulator.addresses.controlURL)/sim/labels?expired=true").body.split(separator: UInt8(ascii: "\n"))
            #expect(lines.count == expected.count)
            for line in lines {
                let fields = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
                let texts = ["src", "uri", "cid", "val"].map { fields[$0] as? String ?? "" }
                let label = try #require(current[texts.joined(separator: " ")])
                #expect(fields["exp"] as? String == label["exp"])
                #expect(fields["signed"] as? Bool == (label.signature != nil))
            }
        }
    }

    @Test("subjects are records that accounts hold, and one frame names subjects of several accounts")
    func subjects() async throws {
        try await SimulatorHarness.run(Self.configuration(labelers: 1)) { simulator in
            let transcript = try await Self.labeled(simulator, 300)[0]
            var held: [String: String] = [:]
            for try await holding in simulator.service.repositories() {
                for (path, cid) in holding.records { held["at://\(holding.did)/\(path)"] = cid }
            }
            let dids = Set(await simulator.service.dids)
            var isMixed = false
            for (_, labels) in Dictionary(grouping: transcript.labels, by: \.seq) {
                var accounts: Set<String> = []
                for label in labels {
                    let uri = try #require(label["uri"])
                    accounts.insert(uri.split(separator: "/").first { $0.hasPrefix("did:") }.map(String.init) ?? "")
                    if uri.hasPrefix("at://") { #expect(label["cid"] == nil || label["cid"] == held[uri]) } else { #expect(dids.contains(uri)) }
                }
                if accounts.count > 1 { isMixed = true }
            }
            #expect(isMixed)
        }
    }

    @Test("a cursor replays the same frames, one that is too old is told so, and a restart numbers anew from 1")
    func cursors() async throws {
        var configuration = Self.configuration()
        configuration.labelers[1].windowEntriesMax = 10
        try await SimulatorHarness.run(configuration) { simulator in
            let (service, address) = (simulator.service, simulator.addresses.labelers[0])
            let first = try await Self.labeled(simulator, 150)[0]
            let again = try await LabelTranscript.follow(address, until: first.labels.count - first.counts[..<20].reduce(0, +), from: 20)
            #expect(again.frames == Array(first.frames[20...]))
            var old = LabelTranscript()
            _ = try await RelayReader.read(simulator.addresses.labelers[1], path: RelayServer.labelerPath, cursor: 1) { frame in
                try old.take(frame)
                return old.frames.count == 10
            }
            #expect(old.notes == ["OutdatedCursor"])

            let before = await service.currentLabels(expired: true)
            try await service.take(FaultOrder(kind: .renumber, labeler: 0))
            var future = LabelTranscript()
            let end = try await RelayReader.read(address, path: RelayServer.labelerPath, cursor: first.lastSeq) { frame in
                try future.take(frame)
                return false
            }
            #expect(end == .closed)
            #expect(future.notes == ["FutureCursor"])
            #expect(Set(await service.currentLabels(expired: true)) == Set(before))
            let after = try await Self.labeled(simulator, 40)[0]
            #expect(after.labels.first?.seq == 1)
            #expect(service.faults.count(.renumber, labeler: 0) == 1)
            #expect(service.faults.count(.renumber, relay: 0) == 0)
            let line = try #require(service.record.lines.first { $0.contains("forgotten_labels") })
            #expect(line.contains("\"labeler\":0,\"first\":1,\"last\":\(first.lastSeq)"))
        }
    }

    @Test("a label with another's signature is counted and recorded, and is none of the current ones; the one beside it is")
    func badSignature() async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let service = simulator.service
            try await service.take(FaultOrder(kind: .labelBadSignature, labeler: 1, count: 3))
            let transcript = try await LabelTranscript.follow(simulator.addresses.labelers[1], until: 6)
            let (_, key) = try await Self.key(simulator, 1)
            let forged = transcript.labels.filter { $0.signature != nil && !$0.isSigned(by: key) }
            #expect(forged.count == 3)
            #expect(forged.allSatisfy { $0["val"]?.hasPrefix("forged-") == true })
            #expect(transcript.counts == [2, 2, 2])
            #expect(service.faults.count(.labelBadSignature, labeler: 1) == 3)
            #expect(service.record.lines.filter { $0.contains("\"type\":\"refused_label\"") }.count == 3)
            let current = await service.currentLabels(expired: true)
            #expect(current.allSatisfy { !$0.val.hasPrefix("forged") })
            #expect(try await service.status().labelers[0].lastSeq == 0)
        }
    }

    @Test("a labeler's connection is cut by order and its window forgotten, and no relay's")
    func cutAndForget() async throws {
        try await SimulatorHarness.run(Self.configuration()) { simulator in
            let (service, address) = (simulator.service, simulator.addresses.labelers[0])
            let all = try await Self.labeled(simulator, 60)[0]
            for kind in [FaultKind.cutMidFrame, .cutOnBoundary, .errorFrame] { try await service.take(FaultOrder(kind: kind, labeler: 0)) }
            let transcript = try await LabelTranscript.follow(address, until: all.labels.count)
            #expect(transcript.frames == all.frames)
            #expect(transcript.connections == 4)
            #expect(transcript.notes == ["InternalServerError"])
            try await service.take(FaultOrder(kind: .forget, labeler: 0))
            var late = LabelTranscript()
            _ = try await RelayReader.read(address, path: RelayServer.labelerPath, cursor: 3) { frame in
                try late.take(frame)
                return true
            }
            #expect(late.notes == ["OutdatedCursor"])
            #expect(service.faults.byName == ["cut_mid_frame": 1, "cut_on_boundary": 1, "error_frame": 1, "forget": 1])
            #expect(service.faults.count(.forget, labeler: 0) == 1)
        }
    }

    @Test("without labelers there is no order for them; the control API sets the pace and refuses nonsense")
    func control() async throws {
        try await SimulatorHarness.run(Self.configuration(labelers: 1)) { simulator in
            let control = simulator.addresses.controlURL
            #expect(try await simulator.post("\(control)/sim/label_rate", #"{"labels_per_second":"unlimited","labels_max":25}"#).status == .ok)
            _ = try await LabelTranscript.follow(simulator.addresses.labelers[0], until: 25)
            #expect(try await simulator.get("\(control)/sim/status").json["labels_produced"] as? Int == 25)
            #expect(try await simulator.post("\(control)/sim/label_rate", #"{"labels_per_second":-1}"#).status == .badRequest)
            #expect(try await simulator.post("\(control)/sim/faults", #"{"kind":"label_bad_signature","labeler":0}"#).status == .ok)
            #expect(try await simulator.post("\(control)/sim/faults", #"{"kind":"forget","labeler":1}"#).status == .badRequest)
            #expect(try await simulator.post("\(control)/sim/faults", #"{"kind":"write","labeler":0}"#).status == .badRequest)
            #expect(throws: SimulatorError.self) { try SimulatorConfiguration().check(FaultOrder(kind: .labelBadSignature)) }
        }
    }
}
