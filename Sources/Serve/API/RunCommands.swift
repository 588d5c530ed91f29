import Broker
import Events
import Ledger
import Logging
import NIOHTTP1

/// Creates, feeds and ends applications' runs, and answers what their keys stand at.
struct RunCommands: Sendable {
    let store: any RunStore
    let writes: WriteGuard
    /// Where new runs are published.
    let sink: String
    let report: AppendReport
    let logger: Logger

    /// Bytes of payloads that a page of a snapshot has at most, about.
    private static let pageBytesMax = 4 << 20

    /// Who may not is told so before the body is read.
    func decide(_ route: Route, _ request: Request, by requester: Requester) -> Decision {
        let takesLines = if case .append = route { true } else { false }
        let mediaTypes = ["application/json"] + (takesLines ? [Router.linesMediaType] : [])
        if let problem = writes.problem(request, by: requester, mediaTypes: mediaTypes) { return .reply(problem.reply) }
        switch route {
        case .createRun: return .receive(changing: nil) { body in await create(body, by: requester) }
        case .append(let id, let expectedSeq, let isLines):
            if let problem = reserved(id) { return .reply(problem.reply) }
            return .receive(changing: id) { body in await append(body, isLines: isLines, to: id, expectedSeq: expectedSeq) }
        case .finish(let id, let expectedSeq), .cancel(let id, let expectedSeq):
            if let problem = reserved(id) { return .reply(problem.reply) }
            let isCancellation = if case .cancel = route { true } else { false }
            return .receive(changing: id) { body in await end(id, body, isCancellation: isCancellation, expectedSeq: expectedSeq, by: requester) }
        default: return .reply(Problem(.notFound, "nothing is here", given: request.path).reply)
        }
    }

    private func reserved(_ id: RunID) -> Problem? {
        id.isReserved ? Problem(.runReserved, "this run is Weir's own", given: id.description, allowed: "runs of applications") : nil
    }

    private func create(_ bytes: [UInt8], by requester: Requester) async -> HTTPReply {
        await answer(nil) {
            let body = try RunBody(bytes)
            if let id = body.id, !requester.reaches(id) {
                throw Problem(
                    .forbidden, "this token may not create that run", pointer: "/id", given: id.description,
                    allowed: "runs that begin with \((requester.prefixes ?? []).joined(separator: ", "))")
            }
            let creation = RunCreation(
                id: body.id, generatedPrefix: requester.prefixes?.first ?? "", kind: body.kind, metadata: body.metadata,
                idempotencyKey: body.idempotencyKey, owner: requester.name, sinks: [sink])
            let (run, isNew) = try await store.createRun(creation)
            let details = try await store.details(of: [run.id])
            var reply = HTTPReply.json(isNew ? .created : .ok) { $0.value(run, details[run.id]) }
            reply.headers.append(("Location", "/runs/\(run.id)"))
            return reply
        }
    }

    private func append(_ bytes: [UInt8], isLines: Bool, to id: RunID, expectedSeq: Int64?) async -> HTTPReply {
        await answer(id) {
            let events = try AppendBody(bytes, isLines: isLines).events
            let start = MonotonicTime.current
            let appended = try await store.append(events, to: id, expectedSeq: expectedSeq)
            report.appended(appended.appended, repeated: appended.seqs.count - appended.appended, to: id, since: start)
            return HTTPReply.json { json in
                json.beginObject()
                json.member("run", id.description)
                json.member("last_seq", appended.lastSeq)
                json.member("appended", appended.appended)
                json.member("repeated", appended.seqs.count - appended.appended)
                json.member("logged_at", appended.loggedAt.rfc3339)
                json.key("seqs")
                json.beginArray()
                for seq in appended.seqs { json.value(seq) }
                json.endArray()
                json.endObject()
            }
        }
    }

    private func end(
        _ id: RunID, _ bytes: [UInt8], isCancellation: Bool, expectedSeq: Int64?, by requester: Requester
    ) async -> HTTPReply {
        await answer(id) {
            let body = try EndingBody(bytes, isCancellation: isCancellation)
            let start = MonotonicTime.current
            let ending = try await store.endRun(id, state: body.state, reason: body.reason, by: requester.name, expectedSeq: expectedSeq)
            if ending.isNew { report.appended(1, to: id, since: start) }
            if isCancellation, ending.isNew {
                logger.notice(
                    "a run was cancelled", metadata: ["run": "\(id)", "by": "\(requester.name)", "reason": "\(body.reason ?? "")"])
            }
            return HTTPReply.json { json in
                json.beginObject()
                json.member("run", id.description)
                json.member("state", ending.state.rawValue)
                json.member("last_seq", ending.seq)
                json.member("repeated", !ending.isNew)
                json.endObject()
            }
        }
    }

    func snapshot(_ id: RunID, after: SnapshotCursor?, limit: Int) async -> HTTPReply {
        await answer(id) {
            guard let page = try await store.snapshot(of: id, after: after?.place, limit: limit, maxBytes: Self.pageBytesMax) else {
                throw Problem(.runNotFound, "there is no run \(id)", given: id.description)
            }
            return HTTPReply.json { json in
                json.beginObject()
                json.member("run", id.description)
                json.member("state", page.state.rawValue)
                json.member("last_seq", page.lastSeq)
                json.key("events")
                json.beginArray()
                for event in page.events { if let text = EventFormat.weir.render(event) { json.value(json: text) } }
                json.endArray()
                if let next = page.next { json.member("cursor", "\(SnapshotCursor(next))") }
                json.endObject()
            }
        }
    }

    private func answer(_ id: RunID?, _ body: () async throws -> HTTPReply) async -> HTTPReply {
        do {
            return try await body()
        } catch let error as LedgerError {
            if let refusal = error.refusal { return Problem(refusal, of: id).reply }
            return Problem(answering: error, logger).reply
        } catch {
            return Problem(answering: error, logger).reply
        }
    }
}

extension Problem {
    /// Why a run took nothing, or was not created.
    init(_ refusal: RunRefusal, of id: RunID?) {
        switch refusal {
        case .unknown: self.init(.runNotFound, "there is no such run", given: id?.description)
        case .ended(let state): self.init(.runEnded, "the run is \(state.rawValue): nothing follows its terminal event", given: id?.description)
        case .exists: self.init(.runExists, "there is a run of this id already", pointer: "/id", allowed: "another id, or none")
        case .differs(let other):
            self.init(
                .idempotencyConflict, "this idempotency key was used for another run", pointer: "/idempotency_key", given: other.description,
                allowed: "another key, or the same id, kind and metadata")
        case .conflict(let lastSeq):
            self.init(.seqConflict, "the run's last seq is another one", parameter: "expectedSeq", allowed: "\(lastSeq)", lastSeq: lastSeq)
        case .regressing(let index, let last):
            self.init(
                .keyRegressing, "a key's sequence only grows", pointer: "/\(index)/key_seq",
                allowed: last == .max ? "nothing: the key's sequence is at its end" : "\(last + 1) or more")
        case .tooLarge(let bound): self.init(.eventTooLarge, bound)
        }
    }
}
