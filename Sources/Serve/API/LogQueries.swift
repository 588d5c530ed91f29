import ATProto
import Broker
import Events
import Ledger
import Logging

/// Answers about runs, from the ledger.
struct LogQueries: Sendable {
    let store: any LogStore
    /// What was said of runs at their creation and end.
    let details: @Sendable ([RunID]) async throws(LedgerError) -> [RunID: RunDetails]
    /// How full Redis is, nil where it does not answer or is not asked.
    let levels: @Sendable () async -> BrokerLevels?
    let shards: ShardMap
    let sink: String
    let streams: ConnectionCount
    let subscriptions: any SubscriptionStore
    let board: SubscriptionBoard
    let logger: Logger

    /// Bytes of bodies that a page of events has at most, about.
    private static let pageBytesMax = 4 << 20

    func runs(state: String?, kind: String?, prefixes: [String]?, after: RunID?, limit: Int) async -> HTTPReply {
        await answer {
            let runs = try await store.runs(
                state: state.flatMap(RunSummary.State.init(rawValue:)), kind: kind, prefixes: prefixes, after: after, limit: limit)
            let details = try await details(runs.map(\.id))
            return HTTPReply.json { json in
                json.beginObject()
                json.key("runs")
                json.beginArray()
                for run in runs { json.value(run, details[run.id]) }
                json.endArray()
                // A full page may be the last one; the page after it is then empty.
                if runs.count == limit, let last = runs.last { json.member("cursor", last.id.description) }
                json.endObject()
            }
        }
    }

    func run(_ id: RunID) async -> HTTPReply {
        await answer {
            guard let run = try await store.run(id) else { throw Self.noSuch(id) }
            let details = try await details([id])
            return HTTPReply.json { $0.value(run, details[id]) }
        }
    }

    /// A page of events with seq > `after`: of `limit` events of the log, those that the selection lets through.
    func events(_ id: RunID, after: Int64, limit: Int, _ selection: EventSelection) async -> HTTPReply {
        await answer {
            guard let run = try await store.run(id) else { throw Self.noSuch(id) }
            let events = try await store.events(run: id, after: after, limit: limit, maxBytes: Self.pageBytesMax)
            return HTTPReply.json { json in
                json.beginObject()
                json.member("run", id.description)
                json.member("state", run.state.rawValue)
                json.member("last_seq", run.lastSeq)
                json.key("events")
                json.beginArray()
                for event in events where selection.delivers(event) {
                    if let rendered = selection.format.render(event) { json.value(json: rendered) }
                }
                json.endArray()
                json.member("next_from_seq", events.last?.seq ?? after)
                json.endObject()
            }
        }
    }

    func status() async -> HTTPReply {
        await answer {
            let status = try await store.status()
            let levels = await levels()
            return HTTPReply.json { json in
                json.beginObject()
                json.member("at", WallTime.current.rfc3339)
                json.member("shard_count", shards.count)
                json.member("stream_clients", streams.now)
                json.member(levels)
                json.member(status)
                json.endObject()
            }
        }
    }

    /// Labels that an answer has at most.
    static let labelsMax = 1_000

    /// The labels of some subjects that stand now.
    func labels(on uris: [String], by sources: [String]) async -> HTTPReply {
        await answer {
            let subjects = Set(uris).compactMap { uri in
                Syntax.did(ofSubject: uri).map { LabelSubject(shard: shards.shard(of: $0), subject: LabelIdentity.subject(uri).bytes) }
            }
            let labels = try await store.currentLabels(
                of: subjects, sources: sources.isEmpty ? nil : sources, limit: Self.labelsMax + 1)
            return HTTPReply.json { json in
                json.beginObject()
                json.key("labels")
                json.beginArray()
                for label in labels.prefix(Self.labelsMax) { json.value(label) }
                json.endArray()
                if labels.count > Self.labelsMax { json.member("truncated", true) }
                json.endObject()
            }
        }
    }

    func opening(_ body: () async throws -> StreamOpening) async -> StreamOpening {
        do {
            return try await body()
        } catch {
            return .refused(Problem(answering: error, logger).reply)
        }
    }

    func answer(_ body: () async throws -> HTTPReply) async -> HTTPReply {
        do {
            return try await body()
        } catch {
            return Problem(answering: error, logger).reply
        }
    }

    static func noSuch(_ id: RunID) -> Problem { Problem(.runNotFound, "there is no run \(id)", given: id.description) }
}
