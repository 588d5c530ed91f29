import Events
import NIOHTTP1

/// `/health`, `/ready`, `/metrics`: what every role answers.
struct OperationsResponder: Responder {
    let readiness: ReadinessBoard
    let metrics: PrometheusMetrics?
    let router = Router(servesLog: false)

    func decide(_ request: Request) -> Decision {
        do {
            return decide(try router.route(request)) ?? .reply(Problem(.notFound, "nothing is here").reply)
        } catch {
            return .reply(error.reply)
        }
    }

    /// Nil for a route that is not one of these.
    func decide(_ route: Route) -> Decision? {
        switch route {
        case .health: return .reply(Self.health)
        case .metrics:
            guard let metrics else { return .reply(Problem(.notFound, "this process keeps no metrics").reply) }
            return .compute { HTTPReply(contentType: "text/plain; version=0.0.4; charset=utf-8", body: metrics.text()) }
        case .ready: return .compute { [readiness] in Self.ready(await readiness.reasons()) }
        default: return nil
        }
    }

    /// The process is alive, since it answers; whether it is of use says ``ready``.
    private static let health = HTTPReply.json { json in
        json.beginObject()
        json.member("status", "alive")
        json.endObject()
    }

    static func ready(_ reasons: [ReadinessReason]) -> HTTPReply {
        HTTPReply.json(reasons.isEmpty ? .ok : .serviceUnavailable) { json in
            json.beginObject()
            json.member("ready", reasons.isEmpty)
            json.key("reasons")
            json.beginArray()
            for reason in reasons {
                json.beginObject()
                json.member("code", reason.code.rawValue)
                json.member("entity", reason.entity)
                json.member("detail", reason.detail)
                json.endObject()
            }
            json.endArray()
            json.endObject()
        }
    }
}
