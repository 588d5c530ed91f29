import Events
import Ledger
import Logging
import NIOHTTP1

/// Answers about sinks and dead letters, and orders about them. Every order is written to the log.
struct SinkQueries: Sendable {
    let store: any SinkAdminStore
    let writes: WriteGuard
    let logger: Logger

    /// Who may not is told so before the body is read.
    func decide(_ route: SinkRoute, _ request: Request, by requester: Requester) -> Decision {
        guard route.isOrder else { return .compute { await answer { try await look(route) } } }
        if let problem = writes.problem(request, by: requester, mediaTypes: ["application/json"]) { return .reply(problem.reply) }
        return .receive(changing: nil) { body in await answer { try await order(route, body) } }
    }

    private func look(_ route: SinkRoute) async throws -> HTTPReply {
        switch route {
        case .show(let name):
            guard let view = try await store.sinkViews(name).first else { throw Self.noSuch(name) }
            return HTTPReply.json { $0.value(view) }
        case .letters(let sink, let withSkipped, let before, let limit):
            let letters = try await store.deadLetters(sink: sink, withSkipped: withSkipped, before: before, limit: limit)
            return HTTPReply.json { $0.value(letters, isFull: letters.count == limit) }
        case .letter(let id):
            guard let letter = try await store.deadLetter(id) else { throw Self.noSuch(id) }
            return HTTPReply.json { $0.value(letter) }
        default:
            let views = try await store.sinkViews(nil)
            return HTTPReply.json { json in
                json.beginObject()
                json.key("sinks")
                json.beginArray()
                for view in views { json.value(view) }
                json.endArray()
                json.endObject()
            }
        }
    }

    private func order(_ route: SinkRoute, _ body: [UInt8]) async throws -> HTTPReply {
        switch route {
        case .create(let replaces): return try await create(SinkBody(body).definition, replaces: replaces)
        case .remove(let name):
            guard try await store.removeSink(name) else { throw Self.noSuch(name) }
            return done(name.description, "removed")
        case .change(let name, let change): return try await self.change(name, change, OrderBody(body, of: change))
        case .settle(let id, let settlement): return try await settle(id, settlement)
        default: throw Problem(.notFound, "nothing is here")
        }
    }

    private func create(_ definition: SinkDefinition, replaces: Bool) async throws -> HTTPReply {
        let stored = try await store.storeSink(definition, origin: .api, onlyNew: !replaces)
        switch stored {
        case .taken:
            throw Problem(
                .sinkTaken, "there is a sink of this name", pointer: "/name", given: definition.name.description,
                allowed: "another name, or ?replace=true")
        case .made: return done(definition.name.description, "made", status: .created)
        case .changed: return done(definition.name.description, "changed")
        case .same: return done(definition.name.description, "same")
        }
    }

    private func change(_ name: SinkName, _ change: SinkRoute.Change, _ body: OrderBody) async throws -> HTTPReply {
        let isKnown =
            switch change {
            case .pause: try await store.setSink(name, .paused)
            case .resume: try await store.setSink(name, .running)
            case .reset: try await store.resetSink(name, run: body.run)
            case .rewind: try await store.rewindSink(name, to: body.start ?? .earliest, run: body.run)
            }
        guard isKnown else { throw Self.noSuch(name) }
        let words: [SinkRoute.Change: String] = [.pause: "paused", .resume: "running", .reset: "reset", .rewind: "rewound"]
        return done(name.description, words[change] ?? change.rawValue)
    }

    private func settle(_ id: Int64, _ settlement: SinkRoute.Settlement) async throws -> HTTPReply {
        guard let letter = try await store.deadLetter(id) else { throw Self.noSuch(id) }
        guard letter.queue == "sink" else {
            throw Problem(
                .letterSettled, "this is a repository that could not be fetched", given: letter.key, allowed: "weir repos resync \(letter.key)")
        }
        let isDone = settlement == .requeue ? try await store.requeueLetter(id) : try await store.skipLetter(id)
        guard isDone else {
            throw Problem(.letterSettled, "this dead letter is \(letter.state.rawValue) already", given: "\(id)", allowed: "another one")
        }
        return done("\(id)", settlement == .requeue ? "requeued" : "skipped")
    }

    /// What was done to what, also in the log: orders of operators are looked for there.
    private func done(_ what: String, _ result: String, status: HTTPResponseStatus = .ok) -> HTTPReply {
        logger.notice("order about a sink", metadata: ["of": "\(what)", "result": "\(result)"])
        return HTTPReply.json(status) { json in
            json.beginObject()
            json.member("of", what)
            json.member("result", result)
            json.endObject()
        }
    }

    private static func noSuch(_ name: SinkName) -> Problem {
        Problem(.sinkNotFound, "there is no such sink", given: name.description, allowed: "a name of /sinks")
    }

    private static func noSuch(_ id: Int64) -> Problem {
        Problem(.letterNotFound, "there is no such dead letter", given: "\(id)", allowed: "an id of /dlq")
    }

    private func answer(_ body: () async throws -> HTTPReply) async -> HTTPReply {
        do {
            return try await body()
        } catch {
            return Problem(answering: error, logger).reply
        }
    }
}
