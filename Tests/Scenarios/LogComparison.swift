/// The first differences between what was sent and what is in the log: none where every DID's events are equal and in the same order.
enum LogComparison {
    static func differences(_ expected: ExpectedLog, _ actual: ActualLog, atMost limit: Int = 10) -> [String] {
        var result = actual.breaks
        for did in Set(expected.events.keys).union(actual.events.keys).sorted() {
            // Kinds are compared apart: a commit that waits for a predecessor lets an identity event pass.
            for kind in ["record", "identity", "account"] {
                let logged = (actual.events[did] ?? []).filter { $0.kind == kind }
                let sent = expected.events(of: did, beside: logged).filter { $0.kind == kind }
                if let forged = logged.first(where: { expected.forged.contains("\(did) \($0.rev)") }) {
                    result.append("\(did): a forged commit was taken: \(forged)")
                }
                if let difference = first(sent, logged) { result.append("\(did) \(kind): \(difference)") }
            }
        }
        return Array(result.prefix(limit))
    }

    private static func first(_ sent: [LoggedEvent], _ logged: [LoggedEvent]) -> String? {
        for index in 0..<max(sent.count, logged.count) {
            let a = index < sent.count ? sent[index].description : "nothing"
            let b = index < logged.count ? logged[index].description : "nothing"
            if a != b { return "event \(index) of \(sent.count) sent and \(logged.count) logged: sent \(a), logged \(b)" }
        }
        return nil
    }
}
