import ATProto
import Events
import Testing

@Suite("Recorded commits of a public relay", .enabled(if: Conformance.isPresent, Conformance.absent))
struct RecordedCommitTests {
    private static let names = ["4621317030", "4621317332", "4621332152", "4623075231"]
    /// The one whose host sent enough nodes to undo it; the others are from a host that sent the changed ones only.
    private static let complete = "4623075231"
    private let now = WallTime(microseconds: 1_750_000_000_000_000)

    private func frame(_ name: String) throws -> [UInt8] {
        let body = try DAGJSON.record(Conformance.bytes("commits/firehose_commit_\(name).json"))
        return (["op": 1, "t": "#commit"] as CBORValue).encode() + body.encode()
    }

    @Test("they decode, their structure holds, and the records turn into JSON", arguments: names)
    func structure(name: String) throws {
        let frame = try frame(name)
        guard case .sound(let structure) = CommitStructure.check(frame, now: now) else {
            Issue.record("\(CommitStructure.check(frame, now: now))")
            return
        }
        #expect(structure.message.seq == Int64(name))
        if name == Self.complete {
            guard case .computed(let root) = structure.inversion else {
                Issue.record("\(structure.inversion)")
                return
            }
            #expect(root != structure.block.data)
        } else {
            #expect(structure.inversion == .notPossible)
        }
        for operation in structure.operations {
            var json: [UInt8] = []
            try DAGJSON.write(try #require(operation.record), of: frame, into: &json)
            #expect(CID(hashing: try DAGJSON.record(json).encode()) == operation.cid)
        }
        guard case .message(let fields) = FrameRoute.parse(frame) else {
            Issue.record("\(FrameRoute.parse(frame))")
            return
        }
        #expect(fields.did == structure.message.repo && fields.rev == structure.message.rev && fields.time == structure.message.time)
    }

    @Test("one is undone: another prevData is refused, and the root that comes out is proven")
    func inversion() throws {
        let message = try CommitMessage(frame: frame(Self.complete))
        guard case .sound(let structure) = CommitStructure.check(message, now: now), case .computed(let root) = structure.inversion else {
            Issue.record("not sound")
            return
        }
        guard case .sound(let proven) = CommitStructure.check(message.changed(prevData: root), now: now) else {
            Issue.record("the root before is refused")
            return
        }
        #expect(proven.inversion == .proven)
        guard case .refused(let refusal) = CommitStructure.check(message.changed(prevData: CID(hashing: [])), now: now) else {
            Issue.record("another root is taken")
            return
        }
        #expect(refusal.reason == .badInversion)
    }

    @Test("with prevData, one whose nodes do not suffice is refused for what is missing", arguments: names.dropLast())
    func incomplete(name: String) throws {
        let message = try CommitMessage(frame: frame(name)).changed(prevData: CID(hashing: []))
        guard case .refused(let refusal) = CommitStructure.check(message, now: now) else {
            Issue.record("sound")
            return
        }
        #expect(refusal.reason == .missingBlock)
    }
}
