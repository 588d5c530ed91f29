import Foundation

/// What a correct consumer must end with, from the simulator's own record: for each DID its events in order.
struct ExpectedLog: Sendable {
    /// Records, identity and account events of each DID, in the order that its host made them.
    var events: [String: [LoggedEvent]] = [:]
    /// Bad commits that were sent, as `did rev`: none of them may be in the log.
    var forged: Set<String> = []
    var count: Int { events.values.reduce(0) { $0 + $1.count } }

    init(lines: [String]) throws {
        for line in lines {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { continue }
            take(object)
        }
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
            }
        case "identity": events[did, default: []].append(LoggedEvent(kind: "identity", time: time))
        case "account": events[did, default: []].append(LoggedEvent(kind: "account", time: time))
        case "refused" where !rev.isEmpty: forged.insert("\(did) \(rev)")
        default: break
        }
    }
}
