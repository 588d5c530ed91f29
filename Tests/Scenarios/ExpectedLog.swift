import Foundation

/// What a correct consumer must end with, from the simulator's own record: for each DID its events in order.
struct ExpectedLog: Sendable {
    /// A stretch of one relay's numbers that the relay itself declared gone.
    struct Gap: Sendable {
        var relay: Int
        var after: Int64
        var through: Int64
    }

    private struct Forgotten: Sendable {
        var relay: Int
        var seq: Int64
        var key: String
    }

    /// Records, identity and account events of each DID, in the order that its host made them.
    var events: [String: [LoggedEvent]] = [:]
    /// Bad commits that were sent, as `did rev`: none of them may be in the log.
    var forged: Set<String> = []
    private var forgotten: [Forgotten] = []
    /// Of accounts that changed their key: the commits since.
    private var underNewestKey: [String: [String]] = [:]
    /// Commits under a key that came after another one and was itself replaced.
    private var underPassingKey: Set<String> = []
    /// Events that may be missing: no relay has them, and each said so.
    private var hidden: Set<String> = []
    /// Events that have to be there.
    var count: Int {
        if hidden.isEmpty { return events.reduce(0) { $0 + $1.value.count } }
        return events.reduce(0) { sum, item in sum + item.value.count { !hidden.contains(Self.key(item.key, $0)) } }
    }

    init(lines: [String] = []) throws { try take(lines) }

    /// Takes further lines of the same record.
    mutating func take(_ lines: [String]) throws {
        for line in lines {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { continue }
            take(object)
        }
    }

    /// Gives up the events, all compared by now. What was forged stays: it may come at any time.
    mutating func forgetEvents() { events.removeAll() }

    /// The same, but what every one of the relays gave up and declared gone may be missing.
    ///
    /// May, not must: a gap begins at the committed position, and entries above it can still stand in Redis. An event that one relay still had, or
    /// that none declared gone, stays required.
    func excusing(_ gaps: [Gap], relays: Int) -> ExpectedLog {
        var common: Set<String>?
        for relay in 0..<relays {
            let own = gaps.filter { $0.relay == relay }
            let keys = forgotten.filter { lost in lost.relay == relay && own.contains { $0.after < lost.seq && lost.seq <= $0.through } }.map(\.key)
            common = common?.intersection(keys) ?? Set(keys)
        }
        var rest = self
        rest.hidden = common ?? []
        return rest
    }

    /// The same, but commits under a key that was replaced again may be missing: a directory tells the newest key alone, so whoever did not ask between
    /// two changes of an account's key has no means to judge what was signed in between.
    func excusingPassingKeys() -> ExpectedLog {
        var rest = self
        rest.hidden.formUnion(underPassingKey)
        return rest
    }

    /// Events that may be missing.
    var hiddenCount: Int { hidden.count }

    /// What has to be in a log that holds `logged` of this account: everything but hidden events that it lacks.
    func events(of did: String, beside logged: [LoggedEvent]) -> [LoggedEvent] {
        let present = Set(logged)
        return (events[did] ?? []).filter { present.contains($0) || !hidden.contains(Self.key(did, $0)) }
    }

    private mutating func take(_ object: [String: Any]) {
        let did = object["did"] as? String ?? ""
        let rev = object["rev"] as? String ?? ""
        let time = object["time"] as? String ?? ""
        switch object["type"] as? String {
        case "commit" where object["fault"] == nil:
            for operation in object["ops"] as? [[String: Any]] ?? [] {
                let path = "\(operation["collection"] ?? "")/\(operation["rkey"] ?? "")"
                let event = LoggedEvent(
                    kind: "record", rev: rev, action: operation["action"] as? String ?? "", path: path, cid: operation["cid"] as? String ?? "")
                events[did, default: []].append(event)
                underNewestKey[did]?.append(Self.key(did, event))
            }
        case "identity":
            if object["fault"] as? String == "rotate_key" { underPassingKey.formUnion(underNewestKey.updateValue([], forKey: did) ?? []) }
            events[did, default: []].append(LoggedEvent(kind: "identity", time: time))
        case "account": events[did, default: []].append(LoggedEvent(kind: "account", time: time))
        case "refused" where !rev.isEmpty: forged.insert("\(did) \(rev)")
        case "forgotten":
            let kind = object["of"] as? String ?? ""
            let event = LoggedEvent(kind: kind == "commit" ? "record" : kind, rev: rev, time: kind == "commit" ? "" : time)
            forgotten.append(
                Forgotten(relay: object["relay"] as? Int ?? 0, seq: (object["seq"] as? Int).map(Int64.init) ?? 0, key: Self.key(did, event)))
        default: break
        }
    }

    private static func key(_ did: String, _ event: LoggedEvent) -> String { "\(did) \(event.kind) \(event.rev) \(event.time)" }
}
