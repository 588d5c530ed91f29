public import ATProto
public import NIOCore

extension HostClient {
    public static let listLimitMax = 1000
    public static let collectionListLimitMax = 2000

    /// A page of all repositories of the host, `com.atproto.sync.listRepos`.
    ///
    /// - Parameters:
    ///   - cursor: of the page before, as the host gave it; nil for the first.
    ///   - limit: 1 to ``listLimitMax``; a host may send more or fewer.
    public func listRepos(at endpoint: HostEndpoint, cursor: String? = nil, limit: Int = listLimitMax) async throws(HostError) -> RepositoryPage {
        var query = [("limit", "\(min(max(1, limit), Self.listLimitMax))")]
        if let cursor { query.append(("cursor", cursor)) }
        let answer = try await json("com.atproto.sync.listRepos", query, at: endpoint)
        return try RepositoryPage(reading: answer, isDetailed: true, sent: cursor, host: endpoint)
    }

    /// A page of the repositories that have records of a collection, `com.atproto.sync.listReposByCollection`.
    public func listReposByCollection(
        _ collection: String, at endpoint: HostEndpoint, cursor: String? = nil, limit: Int = collectionListLimitMax
    ) async throws(HostError) -> RepositoryPage {
        var query = [("collection", collection), ("limit", "\(min(max(1, limit), Self.collectionListLimitMax))")]
        if let cursor { query.append(("cursor", cursor)) }
        let answer = try await json("com.atproto.sync.listReposByCollection", query, at: endpoint)
        return try RepositoryPage(reading: answer, isDetailed: false, sent: cursor, host: endpoint)
    }

    public func getRepoStatus(_ did: String, at endpoint: HostEndpoint) async throws(HostError) -> RepositoryState {
        let answer = try await json("com.atproto.sync.getRepoStatus", [("did", did)], at: endpoint)
        guard let said = answer["did"]?.string, said.utf8.elementsEqual(did.utf8), case .bool(let isActive)? = answer["active"] else {
            throw HostError(.malformed, "a status of another DID, or without active", host: endpoint.authority)
        }
        let rev = answer["rev"]?.string.flatMap { TID($0) }
        return RepositoryState(did: did, isActive: isActive, status: RepositoryPage.status(answer), rev: rev)
    }

    public func getLatestCommit(_ did: String, at endpoint: HostEndpoint) async throws(HostError) -> RepositoryHead {
        let answer = try await json("com.atproto.sync.getLatestCommit", [("did", did)], at: endpoint)
        guard let cid = answer["cid"]?.string.flatMap({ CID($0) }), let rev = answer["rev"]?.string.flatMap({ TID($0) }) else {
            throw HostError(.malformed, "a commit without a valid cid and rev", host: endpoint.authority)
        }
        return RepositoryHead(cid: cid, rev: rev)
    }

    /// A repository's archive (CAR), `com.atproto.sync.getRepo`, handed over chunk by chunk as it comes; returns its size in bytes.
    ///
    /// No more is read than `take` has taken: memory holds a chunk or two, 64 KiB each by their usual size. That a body has ended does not make it whole,
    /// as a server may close the connection instead of saying where it ends: the archive itself shows that. `take` is to return within
    /// ``HostConnectionConfiguration/idleTimeout``, else the transfer ends as if the host had fallen silent.
    ///
    /// - Parameter since: only what came after this rev; nil for the whole repository.
    public func getRepo<Consumer: Error>(
        _ did: String, at endpoint: HostEndpoint, since: TID? = nil, isolation: isolated (any Actor)? = #isolation,
        take: (ByteBuffer) async throws(Consumer) -> Void
    ) async throws(TransferError<Consumer>) -> Int {
        var query = [("did", did)]
        if let since { query.append(("since", since.description)) }
        // What the consumer throws goes around the layers that know hosts only.
        var failure: Consumer?
        let result: Result<Int, HostError>
        do throws(HostError) {
            result = .success(
                try await connections.withClient(to: endpoint) { client throws(HostError) in
                    try await exchange("com.atproto.sync.getRepo", query, at: endpoint, with: client) { body throws(HostError) in
                        // Some hosts call an archive text/html, their framework's default: the archive itself shows what it is.
                        guard !body.contentType.hasPrefix("application/json") else {
                            throw HostError(.malformed, "an archive of type \(body.contentType.prefix(40))", host: endpoint.authority)
                        }
                        while let chunk = try await body.next(upTo: configuration.repositoryBytes) {
                            do throws(Consumer) {
                                try await take(chunk)
                            } catch {
                                failure = error
                                return body.count
                            }
                        }
                        return body.count
                    }
                })
        } catch {
            result = .failure(error)
        }
        if let failure { throw .consumer(failure) }
        switch result {
        case .success(let count): return count
        case .failure(let error): throw .host(error)
        }
    }
}
