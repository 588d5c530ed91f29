internal import ATProto
internal import Events

/// Judges all messages of a batch: structures side by side, keys for all DIDs in one call, then signatures side by side.
///
/// Owns no order: judgement i is of message i. A bad signature refreshes its DID's identity once and is looked at again.
struct BatchJudge: Sendable {
    let judge: MessageJudge
    let identities: IdentityResolver
    /// Messages that one task judges before others get their turn.
    private let chunk = 16

    func judgements(_ messages: [Message], now: WallTime) async -> [Judgement] {
        let judge = judge
        let announced = Set(messages.lazy.filter { $0.entry.kind == .identity }.map(\.entry.did))
        if !announced.isEmpty { await identities.announced(announced) }
        let structures = await parallel(messages) { judge.structure(of: $0.entry, now: now) }
        var dids = Set<String>()
        for (index, structure) in structures.enumerated() {
            if case .done = structure { continue }
            dids.insert(messages[index].entry.did)
        }
        let answers = dids.isEmpty ? [:] : await identities.resolve(dids)
        let jobs = zip(messages, structures).map { Job(did: $0.0.entry.did, structure: $0.1) }
        var judgements = await parallel(jobs) { finish($0, answers) }

        let suspicious = jobs.indices.filter { Self.isBadSignature(judgements[$0]) }
        guard !suspicious.isEmpty else { return judgements }
        let refreshed = await identities.refresh(Set(suspicious.map { jobs[$0].did }))
        for index in suspicious { judgements[index] = finish(jobs[index], refreshed) }
        return judgements
    }

    private struct Job: Sendable {
        var did: String
        var structure: MessageJudge.Structure
    }

    private func finish(_ job: Job, _ answers: [String: IdentityAnswer]) -> Judgement {
        if case .done(let judgement) = job.structure { return judgement }
        switch answers[job.did] ?? .pending {
        case .known(let identity): return judge.finish(job.structure, key: identity.key)
        case .absent(let reason): return .refused(reason: "noIdentity", detail: reason)
        case .pending: return .waitsForIdentity
        }
    }

    private static func isBadSignature(_ judgement: Judgement) -> Bool {
        if case .refused(let reason, _) = judgement { return reason == Refusal.Reason.badSignature.rawValue }
        return false
    }

    private func parallel<Item: Sendable, Result: Sendable>(
        _ items: [Item], _ transform: @Sendable @escaping (Item) -> Result
    ) async -> [Result] {
        guard items.count > chunk else { return items.map(transform) }
        return await withTaskGroup(of: (Int, [Result]).self) { group in
            var start = 0
            while start < items.count {
                let range = start..<min(start + chunk, items.count)
                group.addTask { (range.lowerBound, items[range].map(transform)) }
                start = range.upperBound
            }
            var parts: [(Int, [Result])] = []
            for await part in group { parts.append(part) }
            return parts.sorted { $0.0 < $1.0 }.flatMap { $0.1 }
        }
    }
}
