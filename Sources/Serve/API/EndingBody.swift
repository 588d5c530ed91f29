import Events
import Ledger

/// The body of an ending, which may be left out: of a finish `{"state": "finished" or "failed", "reason": …}`, of a cancellation `{"reason": …}`, which is needed.
struct EndingBody: Hashable, Sendable {
    var state: RunSummary.State
    var reason: String?

    static let reasonBytesMax = 1000

    init(_ bytes: [UInt8], isCancellation: Bool) throws(Problem) {
        let allowed = isCancellation ? #"{"reason": "…"}"# : #"{"state": "finished" or "failed", "reason": "…"}, or nothing"#
        var (state, reason): (RunSummary.State, String?) = (isCancellation ? .cancelled : .finished, nil)
        if !bytes.isEmpty {
            var scanner = try BodyScanner(bytes, allowed: allowed)
            try scanner.object(at: "", names: isCancellation ? ["reason"] : ["reason", "state"]) { (scanner, name) throws(Problem) in
                if name == "reason" {
                    reason = try Self.reason(&scanner)
                } else {
                    let text = try scanner.string(at: "/state", allowed: "finished or failed")
                    guard let text, let given = RunSummary.State(rawValue: text), [.finished, .failed].contains(given) else {
                        throw Problem(.badBody, "a run does not finish so", pointer: "/state", given: text, allowed: "finished or failed")
                    }
                    state = given
                }
            }
            try scanner.end()
        }
        if isCancellation, reason == nil {
            throw Problem(.badBody, "a cancellation is the last resort, and kept with its reason", pointer: "/reason", allowed: allowed)
        }
        self.state = state
        self.reason = reason
    }

    private static func reason(_ scanner: inout BodyScanner) throws(Problem) -> String? {
        let allowed = "1 to \(reasonBytesMax) bytes without U+0000"
        guard let text = try scanner.string(at: "/reason", allowed: allowed) else { return nil }
        guard ApplicationEvent.isKey(text, bytesMax: reasonBytesMax) else {
            throw Problem(.badBody, "this cannot be a reason", pointer: "/reason", given: text, allowed: allowed)
        }
        return text
    }
}
