extension CommitMessage {
    /// Reads a frame that holds a `#commit`; throws as ``StreamMessage/init(frame:)``, and `message` where it is another one.
    public init(frame: [UInt8]) throws(FormatError) {
        guard frame.count <= Limits.frameBytes else { throw FormatError(.tooLarge, "a frame of more than \(Limits.frameBytes) bytes") }
        self = try reading(frame) { reader throws(FormatError) in
            let header = try FrameHeader(&reader)
            guard header.op == 1, let type = header.type, reader.equals(type, "#commit") else { throw FormatError(.message, "not a #commit") }
            return try CommitMessage(frame, &reader)
        }
    }

    /// Reads the body; `reader` stands at it.
    init(_ frame: [UInt8], _ reader: inout CBORReader) throws(FormatError) {
        var fields = CommitFields()
        var order = CBORKeyOrder()
        for _ in 0..<(try reader.mapCount()) { try fields.read(try reader.key(&order), &reader) }
        guard reader.isAtEnd else { throw FormatError(.message, "bytes after the body", offset: reader.offset) }
        guard let seq = fields.seq, (1...Limits.sequence).contains(seq) else { throw FormatError(.message, "no seq of 1 to 2^53") }
        guard let repo = fields.repo, Syntax.isDID(utf8: reader.buffer[repo]) else { throw FormatError(.message, "no DID in repo") }
        guard let rev = fields.rev, TID(utf8: reader.buffer[rev]) != nil else { throw FormatError(.message, "no TID in rev") }
        if let since = fields.since, TID(utf8: reader.buffer[since]) == nil { throw FormatError(.message, "no TID in since") }
        guard let commit = fields.commit else { throw FormatError(.message, "no commit") }
        guard let blocks = fields.blocks else { throw FormatError(.message, "no blocks") }
        guard fields.hasOps else { throw FormatError(.message, "no ops") }
        guard let time = fields.time else { throw FormatError(.message, "no time") }
        guard blocks.count <= Limits.commitBlocksBytes else {
            throw FormatError(.tooLarge, "blocks of more than \(Limits.commitBlocksBytes) bytes", offset: blocks.lowerBound)
        }
        self.init(
            seq: seq, repo: reader.string(repo), commit: commit, rev: reader.string(rev), since: fields.since.map { reader.string($0) },
            prevData: fields.prevData, ops: fields.ops, storage: frame, blocks: blocks, time: reader.string(time), blobs: fields.blobs,
            rebase: fields.rebase, tooBig: fields.tooBig)
    }
}

/// The fields of a `#commit` while it is read.
private struct CommitFields {
    var seq: Int64?
    var repo: Range<Int>?
    var rev: Range<Int>?
    var since: Range<Int>?
    var time: Range<Int>?
    var blocks: Range<Int>?
    var commit: CID?
    var prevData: CID?
    var ops: [RepoOperation] = []
    var hasOps = false
    var blobs: [CID] = []
    var rebase = false
    var tooBig = false

    mutating func read(_ key: Range<Int>, _ reader: inout CBORReader) throws(FormatError) {
        if reader.equals(key, "ops") {
            try readOps(&reader)
        } else if reader.equals(key, "rev") {
            rev = try reader.text()
        } else if reader.equals(key, "seq") {
            seq = try reader.integer()
        } else if reader.equals(key, "repo") {
            repo = try reader.text()
        } else if reader.equals(key, "time") {
            time = try reader.text()
        } else if reader.equals(key, "blobs") {
            try readBlobs(&reader)
        } else if reader.equals(key, "since") {
            since = reader.nullIfPresent() ? nil : try reader.text()
        } else if reader.equals(key, "blocks") {
            blocks = try reader.byteString()
        } else if reader.equals(key, "commit") {
            commit = try reader.link()
        } else if reader.equals(key, "rebase") {
            rebase = try reader.bool()
        } else if reader.equals(key, "tooBig") {
            tooBig = try reader.bool()
        } else if reader.equals(key, "prevData") {
            prevData = try reader.linkOrNull()
        } else {
            try reader.skip()
        }
    }

    private mutating func readOps(_ reader: inout CBORReader) throws(FormatError) {
        let count = try reader.arrayCount()
        guard count <= Limits.commitOperations else {
            throw FormatError(.tooManyOps, "more than \(Limits.commitOperations) operations", offset: reader.offset)
        }
        hasOps = true
        ops.reserveCapacity(count)
        for _ in 0..<count { ops.append(try RepoOperation(&reader)) }
    }

    /// Old hosts send null for none. A blob under another kind of CID is not listed: nothing here follows these.
    private mutating func readBlobs(_ reader: inout CBORReader) throws(FormatError) {
        if reader.nullIfPresent() { return }
        for _ in 0..<(try reader.arrayCount()) {
            let range = try reader.linkBytes()
            if range.count == CID.binaryLength, let cid = CID(loading: reader.buffer, at: range.lowerBound) { blobs.append(cid) }
        }
    }
}

extension RepoOperation {
    init(_ reader: inout CBORReader) throws(FormatError) {
        let start = reader.offset
        var action: Action?
        var path: Range<Int>?
        var cid: CID?
        var prev: CID?
        var order = CBORKeyOrder()
        for _ in 0..<(try reader.mapCount()) {
            let key = try reader.key(&order)
            if reader.equals(key, "cid") {
                cid = try reader.linkOrNull()
            } else if reader.equals(key, "path") {
                path = try reader.text()
            } else if reader.equals(key, "prev") {
                prev = try reader.linkOrNull()
            } else if reader.equals(key, "action") {
                action = Self.action(try reader.text(), reader)
            } else {
                try reader.skip()
            }
        }
        guard let action, let path else { throw FormatError(.message, "an operation without action or path", offset: start) }
        self.init(action: action, path: reader.string(path), cid: cid, prev: prev)
    }

    private static func action(_ text: Range<Int>, _ reader: CBORReader) -> Action? {
        if reader.equals(text, "create") { return .create }
        if reader.equals(text, "update") { return .update }
        return reader.equals(text, "delete") ? .delete : nil
    }
}
