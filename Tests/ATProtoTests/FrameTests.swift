import ATProto
import Testing

@Suite("Frames")
struct FrameTests {
    private let did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
    private let rev = "3lhhvfanmos22"
    private let time = "2025-02-06T01:05:06.528Z"

    @Test("each message reads back as it was written, and routes by the same fields")
    func roundTrip() throws {
        let op = RepoOperation(action: .update, path: "a.b.c/self", cid: CID(hashing: [1]), prev: CID(hashing: [2]))
        let commit = CommitMessage(
            seq: 5, repo: did, commit: CID(hashing: [3]), rev: rev, since: "3lhhvfafwmq2r", prevData: CID(hashing: [4]), ops: [op],
            blocks: [1, 2, 3], time: time, blobs: [CID(hashing: [5], codec: .raw)])
        let read = try CommitMessage(frame: commit.frame())
        #expect(read.frame() == commit.frame())
        #expect(read.ops == [op] && read.since == commit.since && read.prevData == commit.prevData && read.blobs == commit.blobs)
        #expect(Array(read.storage[read.blocks]) == [1, 2, 3])
        #expect(FrameRoute.parse(commit.frame()) == .message(.init(type: .commit, seq: 5, did: did, rev: rev, time: time)))

        let sync = SyncMessage(seq: 6, did: did, rev: rev, blocks: [1], time: time)
        #expect(try SyncMessage(frame: sync.frame()).frame() == sync.frame())
        #expect(FrameRoute.parse(sync.frame()) == .message(.init(type: .sync, seq: 6, did: did, rev: rev, time: time)))

        for handle in [nil, "a.test"] {
            let identity = IdentityMessage(seq: 7, did: did, time: time, handle: handle)
            #expect(try StreamMessage(frame: identity.frame()) == .identity(identity))
            #expect(FrameRoute.parse(identity.frame()) == .message(.init(type: .identity, seq: 7, did: did, rev: "", time: time)))
        }
        for status in [nil, "takendown", "word of tomorrow"] {
            let account = AccountMessage(seq: Limits.sequence, did: did, time: time, active: status == nil, status: status)
            #expect(try StreamMessage(frame: account.frame()) == .account(account))
            #expect(FrameRoute.parse(account.frame()) == .message(.init(type: .account, seq: Limits.sequence, did: did, rev: "", time: time)))
        }
        for text in [nil, "some"] {
            #expect(
                try StreamMessage(frame: InfoMessage(name: "OutdatedCursor", message: text).frame())
                    == .info(.init(name: "OutdatedCursor", message: text)))
            #expect(FrameRoute.parse(InfoMessage(name: "OutdatedCursor", message: text).frame()) == .info(name: "OutdatedCursor", message: text))
            #expect(
                try StreamMessage(frame: ErrorMessage(error: "FutureCursor", message: text).frame())
                    == .error(.init(error: "FutureCursor", message: text)))
            #expect(FrameRoute.parse(ErrorMessage(error: "FutureCursor", message: text).frame()) == .error(name: "FutureCursor", message: text))
        }
    }

    @Test("unknown ops, types and fields are passed over")
    func unknown() throws {
        let body: CBORValue = [
            "seq": 9, "did": .text(did), "rev": .text(rev), "time": .text(time), "blocks": .bytes([]), "unheard": [1, ["x": .null]],
        ]
        #expect(FrameRoute.parse(frame(["op": 1, "t": "#sync"], body)) == .message(.init(type: .sync, seq: 9, did: did, rev: rev, time: time)))
        #expect(throws: Never.self) { try StreamMessage(frame: frame(["op": 1, "t": "#sync", "more": [1]], body)) }
        #expect(FrameRoute.parse(frame(["op": 1, "t": "#tomorrow"], body)) == .unknown(op: 1, type: "#tomorrow", seq: 9))
        #expect(FrameRoute.parse(frame(["op": 1, "t": "#tomorrow"], 5)) == .unknown(op: 1, type: "#tomorrow", seq: nil))
        #expect(FrameRoute.parse(frame(["op": 7], body)) == .unknown(op: 7, type: "", seq: nil))
        #expect(FrameRoute.parse(frame(["op": -2], body)) == .unknown(op: -2, type: "", seq: nil))
        #expect(try StreamMessage(frame: frame(["op": 1, "t": "#tomorrow"], body)) == .unknown(op: 1, type: "#tomorrow"))
    }

    @Test(
        "a type is compared byte for byte: another first character, or marks that combine with one, make another type",
        arguments: ["?commit", "ccommit", "commit", "#\u{301}commit", "#commit\u{301}", "\u{301}#commit", "##commit", "#Commit", "", "#inf\u{301}o"])
    func otherTypes(type: String) throws {
        let body: CBORValue = ["seq": 9, "repo": .text(did), "rev": .text(rev), "time": .text(time), "name": "x"]
        let frame = frame(["op": 1, "t": .text(type)], body)
        #expect(FrameRoute.parse(frame) == .unknown(op: 1, type: type, seq: 9))
        #expect(try StreamMessage(frame: frame) == .unknown(op: 1, type: type))
    }

    @Test("of what a host says to people no more is kept than a line, however long one of its characters is")
    func longTexts() {
        let long = "e" + String(repeating: "\u{301}", count: 100_000)
        guard case .unknown(1, let type, 9) = FrameRoute.parse(frame(["op": 1, "t": .text(long)], ["seq": 9])),
            case .error(let name, let message?) = FrameRoute.parse(ErrorMessage(error: long, message: long).frame()),
            case .info(let info, nil) = FrameRoute.parse(InfoMessage(name: long).frame())
        else {
            Issue.record("routed otherwise")
            return
        }
        #expect(type.unicodeScalars.count == 64)
        for text in [name, message, info] { #expect(text.unicodeScalars.count == FrameRoute.noteScalarsMax) }
    }

    @Test("what cannot be routed is malformed, with its number where it has one")
    func malformed() {
        func expect(_ frame: [UInt8], seq: Int64?, _ why: Comment) {
            guard case .malformed(_, seq) = FrameRoute.parse(frame) else {
                Issue.record("\(FrameRoute.parse(frame)): \(why)")
                return
            }
        }
        let header: CBORValue = ["op": 1, "t": "#account"]
        let body: CBORValue = ["seq": 9, "did": .text(did), "time": .text(time), "active": true]
        expect([], seq: nil, "nothing")
        expect(header.encode(), seq: nil, "no body")
        expect(frame(["t": "#account"], body), seq: nil, "no op")
        expect(frame(header, body) + [0], seq: 9, "bytes after the body")
        expect(frame(header, ["did": .text(did), "active": true]), seq: nil, "no seq")
        expect(frame(header, ["seq": 0, "did": .text(did)]), seq: nil, "seq 0")
        expect(frame(header, ["seq": .integer(Limits.sequence + 1), "did": .text(did)]), seq: nil, "seq beyond 2^53")
        expect(frame(header, ["seq": 9]), seq: 9, "no DID")
        expect(frame(header, ["seq": 9, "did": "did:plc:"]), seq: 9, "no real DID")
        expect(frame(header, ["seq": 9, "did": 5]), seq: 9, "a DID that is a number")
        expect(frame(["op": 1, "t": "#commit"], ["seq": 9, "repo": .text(did), "rev": "x"]), seq: 9, "a rev that is no TID")
        expect(frame(["op": 1, "t": "#commit"], ["seq": 9, "did": .text(did), "rev": .text(rev)]), seq: 9, "a commit has its DID in repo")
        expect(frame(["op": -1], ["message": "x"]), seq: nil, "an error without name")
        expect(Array(frame(header, body).dropLast()), seq: 9, "cut off")
        expect([UInt8](repeating: 0x40, count: Limits.frameBytes + 1), seq: nil, "too large")
    }

    @Test("a message without a field that it needs is refused when it is read in full", arguments: ["seq", "did", "time", "active"])
    func missing(field: String) {
        guard case .map(var map) = ["seq": 9, "did": .text(did), "time": .text(time), "active": true] as CBORValue else { return }
        let header: CBORValue = ["op": 1, "t": "#account"]
        #expect(throws: Never.self) { try StreamMessage(frame: frame(header, .map(map))) }
        map[field] = nil
        #expect(throws: FormatError.self) { try StreamMessage(frame: frame(header, .map(map))) }
    }

    @Test("limits hold: blocks, operations, sync blocks")
    func limits() throws {
        let op = RepoOperation(action: .create, path: "a.b.c/self", cid: CID(hashing: [1]))
        func commit(ops: Int, blocks: Int) -> [UInt8] {
            CommitMessage(
                seq: 5, repo: did, commit: CID(hashing: [3]), rev: rev, since: nil, prevData: nil, ops: Array(repeating: op, count: ops),
                blocks: [UInt8](repeating: 0, count: blocks), time: time
            ).frame()
        }
        #expect(throws: Never.self) { try CommitMessage(frame: commit(ops: 200, blocks: 2_000_000)) }
        #expect(code { () throws(FormatError) in try CommitMessage(frame: commit(ops: 201, blocks: 0)) } == .tooManyOps)
        #expect(code { () throws(FormatError) in try CommitMessage(frame: commit(ops: 0, blocks: 2_000_001)) } == .tooLarge)
        let sync = SyncMessage(seq: 6, did: did, rev: rev, blocks: [UInt8](repeating: 0, count: 10_001), time: time)
        #expect(code { () throws(FormatError) in try SyncMessage(frame: sync.frame()) } == .tooLarge)
    }

    private func code(_ body: () throws(FormatError) -> some Any) -> FormatError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return error.code
        }
    }

    private func frame(_ header: CBORValue, _ body: CBORValue) -> [UInt8] { header.encode() + body.encode() }
}
