import FoundationEssentials
import NIOHTTP1

/// The control API: `GET /sim/status`, `GET /sim/record`, `GET /sim/repositories`, `GET /sim/labels`, `POST /sim/faults`, `POST /sim/rate`,
/// `POST /sim/label_rate`, `POST /sim/stop`.
///
/// `/sim/repositories` gives what each account holds, as NDJSON: `{did, status, host, rev, data, records: {path: cid}}`; `/sim/labels` the labels
/// that are current: `{src, uri, cid?, val, cts, exp?, signed}`, with `?expired=true` those too that have ended by themselves. Bodies are JSON objects; a wrong one is answered 400 and says which key is wrong.
struct ControlServer: HTTPResponder {
    let status: @Sendable () async throws -> SimulatorStatus
    let producer: Producer
    let record: SentRecord
    let network: SimulatedNetwork
    let labels: LabelProducer
    let configuration: SimulatorConfiguration

    func respond(to request: HTTPRequest) async -> HTTPReply {
        do {
            switch (request.method, request.path) {
            case (.GET, "/sim/status"): return HTTPReply(json: try await status())
            case (.GET, "/sim/record"):
                let reader = record.reader()
                return HTTPReply(contentType: "application/x-ndjson", body: .parts { await reader.part().map { .bytes($0) } })
            case (.GET, "/sim/repositories"):
                let lines = RepositoryLines(network: network)
                return HTTPReply(contentType: "application/x-ndjson", body: .parts { try await lines.part().map { .bytes($0) } })
            case (.GET, "/sim/labels"):
                let lines = LabelLines(await labels.labels(expired: request.query["expired"] == "true"))
                return HTTPReply(contentType: "application/x-ndjson", body: .parts { await lines.part().map { .bytes($0) } })
            case (.POST, "/sim/label_rate"):
                let rate = try decode(LabelRateBody.self, request.body)
                try await labels.set(labelsPerSecond: rate.labelsPerSecond.value, max: rate.labelsMax)
                return HTTPReply(json: ["accepted": true])
            case (.POST, "/sim/faults"):
                for order in try orders(request.body) { try await producer.take(order) }
                return HTTPReply(json: ["accepted": true])
            case (.POST, "/sim/rate"):
                try await producer.set(try decode(RateBody.self, request.body).rate)
                return HTTPReply(json: ["accepted": true])
            case (.POST, "/sim/stop"):
                await producer.stop()
                return HTTPReply(json: ["accepted": true])
            default: return .notFound
            }
        } catch let error as SimulatorError {
            return HTTPReply(status: .badRequest, error: error.code.rawValue, message: error.description)
        } catch {
            return HTTPReply(status: .internalServerError, error: "InternalServerError", message: "\(error)")
        }
    }

    /// One order or an array of them; all are checked before the first is taken.
    private func orders(_ body: [UInt8]) throws(SimulatorError) -> [FaultOrder] {
        let isArray = body.first { $0 > UInt8(ascii: " ") } == UInt8(ascii: "[")
        let bodies = isArray ? try decode([FaultBody].self, body) : [try decode(FaultBody.self, body)]
        var orders: [FaultOrder] = []
        for body in bodies {
            let order = try body.order
            try configuration.check(order)
            orders.append(order)
        }
        return orders
    }

    private func decode<Body: Decodable>(_ type: Body.Type, _ body: [UInt8]) throws(SimulatorError) -> Body {
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(type, from: Data(body))
        } catch {
            throw SimulatorError(code: .invalidValue, message: "not the JSON that is expected", entity: "body", cause: "\(error)")
        }
    }

    private struct FaultBody: Decodable {
        var kind: String
        var relay: Int?
        var count: Int?
        var every: Int?
        var seconds: Double?
        var retryAfter: Int?
        var host: Int?
        var labeler: Int?
        var did: String?
        var bytes: Int?
        var depth: Int?

        var order: FaultOrder {
            get throws(SimulatorError) {
                guard let kind = FaultKind(rawValue: kind) else {
                    let allowed = FaultKind.allCases.map(\.rawValue).joined(separator: " ")
                    throw SimulatorError(code: .invalidValue, message: "\(kind) is none of: \(allowed)", entity: "kind")
                }
                return FaultOrder(
                    kind: kind, relay: relay, host: host, labeler: labeler, did: did, count: count ?? 1, everyEvents: every ?? 0,
                    seconds: seconds ?? 1, retryAfterSeconds: retryAfter ?? 1, bytes: bytes ?? 0, depth: depth ?? 3)
            }
        }
    }

    /// A number, or `unlimited`.
    private enum Pace: Decodable {
        case number(Double)
        case unlimited

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else if try container.decode(String.self) == "unlimited" {
                self = .unlimited
            } else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "a number or \"unlimited\"")
            }
        }

        var value: Double {
            switch self {
            case .number(let number): number
            case .unlimited: .infinity
            }
        }
    }

    private struct LabelRateBody: Decodable {
        var labelsPerSecond: Pace
        var labelsMax: Int?
    }

    private struct RateBody: Decodable {
        struct Burst: Decodable { var events: Int, everySeconds: Double }

        var eventsPerSecond: Pace
        var burst: Burst?
        var eventsMax: Int?
        var followReaders: Bool?

        var rate: EventRate {
            EventRate(
                eventsPerSecond: eventsPerSecond.value, burstEvents: burst?.events ?? 0, burstEverySeconds: burst?.everySeconds ?? 0,
                eventsMax: eventsMax, followsReaders: followReaders ?? false)
        }
    }
}
