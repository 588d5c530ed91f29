package import ATProto
package import Events

/// Decides what a message is by its bytes and its DID's key alone. Pure: no state, no I/O; safe to run for many messages side by side.
package struct MessageJudge: Sendable {
    let mode: VerificationMode

    package init(mode: VerificationMode) { self.mode = mode }

    /// The first half, which needs no key.
    package enum Structure: Sendable {
        case commit(CommitStructure)
        case sync(SyncStructure)
        case done(Judgement)
    }

    package func structure(of entry: UpstreamEntry, now: WallTime) -> Structure {
        switch entry.kind {
        case .commit:
            switch CommitStructure.check(entry.frame, now: now, mode: mode) {
            case .sound(let structure) where structure.message.repo != entry.did: .done(Self.misrouted)
            case .sound(let structure): .commit(structure)
            case .refused(let refusal): .done(.refused(reason: refusal.reason.rawValue, detail: refusal.message))
            }
        case .sync:
            switch SyncStructure.check(entry.frame, now: now) {
            case .sound(let structure) where structure.message.did != entry.did: .done(Self.misrouted)
            case .sound(let structure): .sync(structure)
            case .refused(let refusal): .done(.refused(reason: refusal.reason.rawValue, detail: refusal.message))
            }
        case .identity, .account: .done(small(entry))
        case .labels: .done(Self.misrouted)
        case .malformed: .done(.refused(reason: Refusal.Reason.malformedMessage.rawValue, detail: "the frame can't be split or has no key"))
        case .unknown: .done(.ignored)
        case .open, .barrier: .done(.ignored)
        }
    }

    /// The second half: the signature, and the records as JSON.
    package func finish(_ structure: Structure, key: VerificationKey) -> Judgement {
        switch structure {
        case .done(let judgement): return judgement
        case .sync(let structure):
            switch structure.verify(key, mode: mode) {
            case .refused(let refusal): return .refused(reason: refusal.reason.rawValue, detail: refusal.message)
            case .verified(let sync): return .sync(rev: sync.rev, data: sync.data.binary, mark: Self.text(sync.marks))
            }
        case .commit(let structure):
            switch structure.verify(key, mode: mode) {
            case .refused(let refusal): return .refused(reason: refusal.reason.rawValue, detail: refusal.message)
            case .verified(let commit): return .commit(Self.parts(commit))
            }
        }
    }

    private static let misrouted = Judgement.refused(reason: "misrouted", detail: "the entry's did is not the message's")

    private static func text(_ marks: [LenientMark]) -> String { marks.map(\.rawValue).joined(separator: ",") }

    private static func parts(_ commit: VerifiedCommit) -> VerifiedCommitParts {
        let (records, badRecords) = records(of: commit.operations, in: commit.storage)
        return VerifiedCommitParts(
            rev: commit.rev, since: commit.since, prevData: commit.prevData?.binary, data: commit.data.binary, mark: text(commit.marks),
            records: records, badRecords: badRecords)
    }

    /// The stage that makes record events of operations: JSON, and every record walked strictly on the way.
    package static func records(
        of operations: [CommitOperation], in storage: [UInt8]
    ) -> (records: [VerifiedCommitParts.Record], bad: [String]) {
        var records: [VerifiedCommitParts.Record] = []
        var bad: [String] = []
        records.reserveCapacity(operations.count)
        for operation in operations {
            do {
                records.append(
                    VerifiedCommitParts.Record(
                        action: action(operation.action), collection: operation.collection, rkey: operation.rkey,
                        cid: operation.cid?.description ?? "", body: try operation.json(in: storage)))
            } catch {
                bad.append("\(operation.path): \(error)")
            }
        }
        return (records, bad)
    }

    private static func action(_ action: RepoOperation.Action) -> LogEvent.Action {
        switch action {
        case .create: .create
        case .update: .update
        case .delete: .delete
        }
    }

    private func small(_ entry: UpstreamEntry) -> Judgement {
        let message: StreamMessage
        do { message = try StreamMessage(frame: entry.frame) } catch {
            return .refused(reason: Refusal.Reason.malformedMessage.rawValue, detail: "\(error)")
        }
        var json = JSONWriter(reserving: 96)
        json.beginObject()
        switch message {
        case .identity(let identity) where identity.did == entry.did:
            guard let time = UpstreamTime.parse(identity.time) else { return Self.badTime(identity.time) }
            if let handle = identity.handle { json.member("handle", handle) }
            json.endObject()
            return .identity(time: time, body: json.take())
        case .account(let account) where account.did == entry.did:
            guard let time = UpstreamTime.parse(account.time) else { return Self.badTime(account.time) }
            json.member("active", account.active)
            if let status = account.status { json.member("status", status) }
            json.endObject()
            return .account(time: time, active: account.active, status: account.status ?? "", body: json.take())
        default: return Self.misrouted
        }
    }

    private static func badTime(_ text: String) -> Judgement {
        .refused(reason: "badTime", detail: "\(text.excerpt(scalars: 64)) is not an RFC 3339 time")
    }
}
