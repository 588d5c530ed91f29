import Events
import Ledger

/// Answers about durable subscriptions.
extension LogQueries {
    func subscriptions(name: String?, after: SubscriptionKey?, limit: Int) async -> HTTPReply {
        await answer {
            let found = try await subscriptions.subscriptions(name: name, after: after, limit: limit)
            return HTTPReply.json { json in
                json.beginObject()
                json.key("subscriptions")
                json.beginArray()
                for subscription in found { json.value(subscription) }
                json.endArray()
                if found.count == limit, let last = found.last { json.member("cursor", SubscriptionCursor.text(last.key)) }
                json.endObject()
            }
        }
    }

    /// A client that has it open is ended.
    func delete(_ name: String, _ topic: SubscriptionTopic?) async -> HTTPReply {
        await answer {
            let count = try await subscriptions.deleteSubscriptions(name: name, topic: topic)
            guard count > 0 else { throw Problem(.subscriptionNotFound, "there is no such subscription", given: name) }
            return HTTPReply.json { json in
                json.beginObject()
                json.member("deleted", count)
                json.endObject()
            }
        }
    }
}

extension JSONWriter {
    /// A subscription as `/subscriptions` shows it; `acked` is what a client would send as `fromSeq` or `cursor`.
    mutating func value(_ view: SubscriptionView) {
        beginObject()
        member("name", view.key.name)
        switch view.key.topic {
        case .run(let id):
            member("run", id.description)
            member("acked", view.positions.first ?? 0)
        case .log(let log):
            member("stream", log.rawValue)
            member("acked", MergedCursor(seqs: view.positions).description)
        }
        member("behind", view.behind)
        member("opens", view.connection)
        member("created_at", view.createdAt.rfc3339)
        member("opened_at", view.openedAt.rfc3339)
        if let time = view.ackedAt { member("acked_at", time.rfc3339) }
        endObject()
    }
}
