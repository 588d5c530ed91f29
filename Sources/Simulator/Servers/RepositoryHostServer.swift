import NIOHTTP1

/// A host of accounts: the parts of `com.atproto.sync.*` and `com.atproto.server.describeServer` that consumers of a firehose use.
struct RepositoryHostServer: HTTPResponder {
    let network: SimulatedNetwork
    let faults: ServerFaults
    /// Its place among the hosts; nil answers as a relay does, for the accounts of all.
    let host: Int?

    private static let archiveType = "application/vnd.ipld.car"

    func respond(to request: HTTPRequest) async -> HTTPReply {
        if let order = faults.meet(.hostDelay, host: host) { try? await Task.sleep(for: .seconds(order.seconds)) }
        if faults.meet(.hostGone, host: host) != nil { return .hangUp }
        if faults.meet(.hostError, host: host) != nil { return HTTPReply(status: .internalServerError, error: "InternalServerError") }
        if let order = faults.meet(.hostBusy, host: host) {
            var reply = HTTPReply(status: .tooManyRequests, error: "RateLimitExceeded")
            reply.headers.add(name: "Retry-After", value: "\(order.retryAfterSeconds)")
            return reply
        }
        switch request.path {
        case "/xrpc/_health": return HTTPReply(json: ["version": "weir-simulator"])
        case "/xrpc/com.atproto.server.describeServer": return HTTPReply(json: Description())
        case "/xrpc/com.atproto.sync.listRepos": return await list(request.query)
        case "/xrpc/com.atproto.sync.listReposByCollection": return await listByCollection(request.query)
        case "/xrpc/com.atproto.sync.getRepo": return await repository(request.query)
        case "/xrpc/com.atproto.sync.getLatestCommit": return await latest(request.query)
        case "/xrpc/com.atproto.sync.getRepoStatus": return await status(request.query)
        default: return HTTPReply(status: .notImplemented, error: "MethodNotImplemented")
        }
    }

    private func list(_ query: [String: String]) async -> HTTPReply {
        let limit = query["limit"].map { Int($0) ?? 0 } ?? 500
        guard (1...1000).contains(limit) else { return invalid("limit is 1 to 1000") }
        guard let page = await network.list(cursor: query["cursor"], limit: limit, at: host) else { return invalid("not a cursor of this host") }
        return HTTPReply(jsonText: page.json)
    }

    private func listByCollection(_ query: [String: String]) async -> HTTPReply {
        let limit = query["limit"].map { Int($0) ?? 0 } ?? 500
        guard (1...2000).contains(limit) else { return invalid("limit is 1 to 2000") }
        guard let collection = query["collection"], collection.contains(".") else { return invalid("collection is required") }
        guard let page = await network.list(collection: collection, cursor: query["cursor"], limit: limit, at: host) else {
            return invalid("not a cursor of this host")
        }
        return HTTPReply(jsonText: page.json)
    }

    private func repository(_ query: [String: String]) async -> HTTPReply {
        guard let did = query["did"] else { return invalid("did is required") }
        var archive: RepositoryArchive
        switch await network.archive(of: did, at: host) {
        case .failure(let error): return HTTPReply(status: .badRequest, error: error.name)
        case .success(let honest): archive = honest
        }
        if let lie = await lie(of: did) { archive = lie }
        if let order = faults.meet(.hostHang, .hostCut, .hostSlow, host: host, did: did) { return reply(archive, order) }
        let first = archive.part() ?? []
        if archive.isAtEnd { return HTTPReply(contentType: Self.archiveType, body: .bytes(first)) }
        let rest = ArchiveParts(first: first, archive)
        return HTTPReply(contentType: Self.archiveType, body: .parts { await rest.part().map { .bytes($0) } })
    }

    /// The archive that a fault has in place of the true one.
    private func lie(of did: String) async -> RepositoryArchive? {
        guard let order = faults.take(FaultKind.lies, host: host, did: did) else { return nil }
        guard let archive = try? await network.archive(of: did, at: host, lying: order) else {
            faults.giveBack(order)
            return nil
        }
        faults.happened(order.kind, host: host)
        return archive
    }

    private func reply(_ archive: RepositoryArchive, _ order: FaultOrder) -> HTTPReply {
        let parts = ArchiveParts(archive)
        let faulty = FaultyParts(order, gate: order.kind == .hostHang ? faults.gate(of: order) : nil) { await parts.part() }
        return HTTPReply(contentType: Self.archiveType, body: .parts { try await faulty.part() })
    }

    private func latest(_ query: [String: String]) async -> HTTPReply {
        guard let did = query["did"] else { return invalid("did is required") }
        switch await network.head(of: did, at: host) {
        case .failure(let error): return HTTPReply(status: .badRequest, error: error.name)
        case .success(let head): return HTTPReply(jsonText: "{\"cid\":\"\(head.head)\",\"rev\":\"\(head.rev)\"}")
        }
    }

    private func status(_ query: [String: String]) async -> HTTPReply {
        guard let did = query["did"] else { return invalid("did is required") }
        guard let status = await network.status(of: did, at: host) else { return HTTPReply(status: .badRequest, error: "RepoNotFound") }
        return HTTPReply(json: status)
    }

    private func invalid(_ message: String) -> HTTPReply { HTTPReply(status: .badRequest, error: "InvalidRequest", message: message) }

    private struct Description: Encodable {
        var did = "did:web:localhost"
        var availableUserDomains = [".weir.test"]
        var inviteCodeRequired = true
    }
}
