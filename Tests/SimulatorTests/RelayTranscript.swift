import ATProto

/// What a consumer has read of one relay, over all its connections.
struct RelayTranscript: Sendable {
    var frames: [[UInt8]] = []
    var lastSeq: Int64 = 0
    /// Well-formed events by DID, in order, each as `rev` or `time`; repeats are left out.
    var orders: [String: [String]] = [:]
    private var known: Set<String> = []
    var errors: [String] = []
    var malformed = 0
    var unknown = 0
    var oversize = 0
    var repeats = 0
    var forged = 0
    var connections = 0

    var distinctEvents: Int { known.count }

    mutating func take(_ frame: [UInt8]) {
        frames.append(frame)
        let message: StreamMessage
        do {
            message = try StreamMessage(frame: frame)
        } catch {
            if frame.count > Limits.frameBytes { oversize += 1 } else { malformed += 1 }
            return
        }
        switch message {
        case .commit(let commit):
            lastSeq = commit.seq
            if commit.ops.contains(where: { $0.path.contains("/forged") }) { forged += 1 } else { event(commit.repo, commit.rev) }
        case .sync(let sync):
            lastSeq = sync.seq
            event(sync.did, "sync \(sync.rev) \(sync.time)")
        case .identity(let identity):
            lastSeq = identity.seq
            event(identity.did, identity.time)
        case .account(let account):
            lastSeq = account.seq
            event(account.did, account.time)
        case .info(let info): errors.append(info.name)
        case .error(let error): errors.append(error.error)
        case .labels, .unknown: unknown += 1
        }
    }

    private mutating func event(_ did: String, _ name: String) {
        guard known.insert("\(did) \(name)").inserted else {
            repeats += 1
            return
        }
        orders[did, default: []].append(name)
    }

    /// Reads a relay, again from the last number after each end, until so many different events are there.
    static func follow(_ address: String, until count: Int, from cursor: Int64? = 0) async throws -> RelayTranscript {
        var transcript = RelayTranscript()
        while transcript.distinctEvents < count {
            transcript.connections += 1
            _ = try await RelayReader.read(address, cursor: transcript.lastSeq == 0 ? cursor : transcript.lastSeq) { frame in
                transcript.take(frame)
                return transcript.distinctEvents >= count
            }
        }
        return transcript
    }
}
