internal import ATProto
internal import AsyncHTTPClient
internal import Events
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Fetches and reads one DID's document over HTTP. Owns no cache, no limits of rate: `IdentityResolver` does.
struct DIDFetcher: Sendable {
    enum Outcome: Sendable {
        case found(ResolvedIdentity)
        /// The answer is final: no such DID, a tombstone, or a document without a usable key.
        case absent(reason: String)
        /// The peer failed or was too slow: says nothing of the DID.
        case failed(reason: String)
    }

    let configuration: IdentityConfiguration
    let client: HTTPClient

    func fetch(_ did: String, now: WallTime) async -> Outcome {
        switch DIDLocation(did) {
        case .directory: return await get("\(configuration.plcURL)/\(did)", did, client, now)
        case .unsupported(let reason): return .absent(reason: reason)
        case .host(let name, let port): return await fetchFromHost(name, port, did, now)
        }
    }

    private func fetchFromHost(_ name: String, _ port: Int?, _ did: String, _ now: WallTime) async -> Outcome {
        if configuration.allowPrivateHosts {
            let scheme = name == "localhost" ? "http" : "https"
            return await get("\(scheme)://\(name)\(port.map { ":\($0)" } ?? "")/.well-known/did.json", did, client, now)
        }
        let address: SocketAddress
        do {
            address = try await NIOThreadPool.singleton.runIfActive { try SocketAddress.makeAddressResolvingHost(name, port: port ?? 443) }
        } catch {
            return .failed(reason: "\(name) does not resolve")
        }
        guard AddressPolicy.isPublic(address), let ip = address.ipAddress else { return .absent(reason: "\(name) has a private address") }
        // The address that was looked at is the one that is connected to: a second resolution could answer otherwise.
        var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
        settings.dnsOverride = [name: ip]
        let pinned = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
        let outcome = await get("https://\(name)\(port.map { ":\($0)" } ?? "")/.well-known/did.json", did, pinned, now)
        try? await pinned.shutdown()
        return outcome
    }

    private func get(_ url: String, _ did: String, _ client: HTTPClient, _ now: WallTime) async -> Outcome {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "accept", value: "application/did+ld+json, application/json")
        request.headers.add(name: "user-agent", value: "weir")
        do {
            let response = try await client.execute(request, timeout: TimeAmount(configuration.fetchTimeout))
            switch response.status.code {
            case 200: return read(Array(try await response.body.collect(upTo: configuration.documentBytes).readableBytesView), did, now)
            case 404, 410:
                return .absent(reason: "the directory answered \(response.status.code)")
            default: return .failed(reason: "HTTP \(response.status.code)")
            }
        } catch is NIOTooManyBytesError {
            return .absent(reason: "the document has more than \(configuration.documentBytes) bytes")
        } catch {
            return .failed(reason: "\(error)")
        }
    }

    private func read(_ body: [UInt8], _ did: String, _ now: WallTime) -> Outcome {
        do {
            let document = try DIDDocument(parsing: body, did: did)
            guard let key = document.signingKey else { return .absent(reason: "the document has no #atproto key") }
            return .found(ResolvedIdentity(did: did, key: key, host: document.host ?? "", handle: document.handle ?? "", fetchedAt: now))
        } catch {
            return .absent(reason: "\(error)")
        }
    }
}
