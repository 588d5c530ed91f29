/// The first differences between what was sent and what is in the log: none where every DID's events are equal and in the same order.
enum LogComparison {
    static func differences(_ expected: ExpectedLog, _ actual: ActualLog, atMost limit: Int = 10) -> [String] {
        var result = actual.breaks
        for did in Set(expected.events.keys).union(actual.events.keys).sorted() {
            // Kinds are compared apart: a commit that waits for a predecessor lets an identity event pass.
            for kind in ["record", "identity", "account"] {
                let sent = (expected.events[did] ?? []).filter { $0.kind == kind }
                let logged = (actual.events[did] ?? []).filter { $0.kind == kind }
                if let difference = first(sent, logged) { result.append("\(did) \(kind): \(difference)") }
            }
        }
        return Array(result.prefix(limit))
    }

    private static func first(_ sent: [LoggedEvent], _ logged: [LoggedEvent]) -> String? {
        for index in 0..<max(sent.count, logged.count) {
            let a = index < sent.count ? sent[index].description : "nothing"
            let b = index < logged.count ? logged[index].description : "nothing"
            if a != b { return "event \(index) of \(sent.count): sent \(a), logged \(b)" }
        }
        return nil
    }
}
