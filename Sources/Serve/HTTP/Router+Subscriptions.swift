import Events
import Ledger

extension Router {
    /// The wire that the client asks for, and the name under which it acknowledges.
    func options(_ request: Request, _ query: QueryReader) throws(Problem) -> StreamOptions {
        let options = StreamOptions(
            selection: try query.selection(), wire: request.wantsWebSocket ? .webSocket : .sse, subscription: query.text("subscription"))
        guard let name = options.subscription else { return options }
        guard SubscriptionKey.isName(name) else {
            throw Problem.parameter("subscription", given: name, allowed: "1 to 128 characters of A-Z a-z 0-9 . _ : -")
        }
        guard options.wire == .webSocket else {
            throw Problem.parameter("subscription", given: name, allowed: "only on a WebSocket: an event stream cannot acknowledge")
        }
        return options
    }

    /// `/subscriptions` and `/subscriptions/{name}`.
    func subscriptions(_ request: Request) throws(Problem) -> Route {
        let name = request.path.dropFirst("/subscriptions/".count)
        guard !name.isEmpty else {
            let query = try QueryReader(request, allowed: ["name", "after", "limit"])
            let limit = try query.integer("limit", in: 1...1000) ?? 100
            var after: SubscriptionKey?
            if let text = query.text("after") {
                after = SubscriptionCursor.key(text)
                guard after != nil else { throw Problem.parameter("after", given: text, allowed: "the cursor of the page before") }
            }
            return .subscriptions(name: query.text("name"), after: after, limit: Int(limit))
        }
        guard SubscriptionKey.isName(String(name)) else {
            throw Problem(.notFound, "no subscription can have this name", given: String(name), allowed: "1 to 128 characters of A-Z a-z 0-9 . _ : -")
        }
        let query = try QueryReader(request, allowed: ["run", "stream"])
        if let text = query.text("run") {
            guard let run = RunID(text), query.text("stream") == nil else {
                throw Problem.parameter("run", given: text, allowed: "a run's id, and no stream beside it")
            }
            return .deleteSubscription(name: String(name), .run(run))
        }
        let stream: LiveLog? = try query.choice("stream")
        return .deleteSubscription(name: String(name), stream.map { .log($0) })
    }
}

/// Where a page of subscriptions ended, as a text that clients treat as opaque: base64url of the name and the topic, a line each.
enum SubscriptionCursor {
    static func text(_ key: SubscriptionKey) -> String {
        var text: [UInt8] = []
        Base64URL.append(Array("\(key.name)\n\(key.topic)".utf8), to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    static func key(_ text: String) -> SubscriptionKey? {
        guard let bytes = Base64URL.decode(text.utf8) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.count == 2, let topic = SubscriptionTopic(String(lines[1])) else { return nil }
        return SubscriptionKey(topic: topic, name: String(lines[0]))
    }
}
