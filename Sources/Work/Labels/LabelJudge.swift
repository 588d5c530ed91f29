internal import ATProto
internal import Flow

/// What a label's signature makes of it.
enum LabelVerdict: Hashable, Sendable {
    case take(LabelStanding.Signature)
    /// Its source's key could not be had in time.
    case waitsForKey
    case refused(reason: String, detail: String)
}

/// Verifies the signatures of a batch's labels: the keys of all sources in one call, then side by side.
///
/// Owns no order: verdict i is of label i. A bad signature refreshes its source's key once and is looked at again.
struct LabelJudge: Sendable {
    let keys: any LabelKeys
    let mode: VerificationMode
    /// Labels that one task verifies before others get their turn.
    private let chunk = 16

    init(keys: any LabelKeys, mode: VerificationMode) {
        self.keys = keys
        self.mode = mode
    }

    func verdicts(_ labels: [Label]) async -> [LabelVerdict] {
        let signed = labels.indices.filter { labels[$0].signature != nil }
        guard !signed.isEmpty else { return labels.map { _ in .take(.unsigned) } }
        var verdicts = [LabelVerdict](repeating: .take(.unsigned), count: labels.count)
        let answers = await keys.labelKeys(of: Set(signed.map { labels[$0].src }))
        for (index, verdict) in await verified(signed, labels, answers) { verdicts[index] = verdict }
        let suspicious = signed.filter { verdicts[$0] == .take(.invalid) && isKnown(answers[labels[$0].src]) }
        if !suspicious.isEmpty {
            let refreshed = await keys.refreshedLabelKeys(of: Set(suspicious.map { labels[$0].src }))
            for (index, verdict) in await verified(suspicious, labels, refreshed) { verdicts[index] = verdict }
        }
        guard mode == .strict else { return verdicts }
        for index in signed where verdicts[index] == .take(.invalid) {
            verdicts[index] = refusal(labels[index], answers[labels[index].src])
        }
        return verdicts
    }

    private func isKnown(_ answer: LabelKeyAnswer?) -> Bool {
        if case .known = answer { return true }
        return false
    }

    private func refusal(_ label: Label, _ answer: LabelKeyAnswer?) -> LabelVerdict {
        if case .absent(let reason) = answer { return .refused(reason: "noIdentity", detail: reason) }
        return .refused(reason: Refusal.Reason.badSignature.rawValue, detail: "the label is not signed by the key of \(label.src)")
    }

    private func verified(_ indices: [Int], _ labels: [Label], _ answers: [String: LabelKeyAnswer]) async -> [(Int, LabelVerdict)] {
        await withTaskGroup(of: [(Int, LabelVerdict)].self) { group in
            for start in stride(from: 0, to: indices.count, by: chunk) {
                let part = indices[start..<min(start + chunk, indices.count)]
                group.addTask { part.map { ($0, Self.verdict(labels[$0], answers[labels[$0].src] ?? .pending)) } }
            }
            var verdicts: [(Int, LabelVerdict)] = []
            for await part in group { verdicts += part }
            return verdicts
        }
    }

    private static func verdict(_ label: Label, _ answer: LabelKeyAnswer) -> LabelVerdict {
        switch answer {
        case .known(let key): .take(label.isSigned(by: key) ? .valid : .invalid)
        case .absent: .take(.invalid)
        case .pending: .waitsForKey
        }
    }
}
