import NIOHTTP1

/// A directory of `did:plc`: `GET /did:plc:…` gives the DID document, 404 where there is none.
struct DirectoryServer: HTTPResponder {
    let network: SimulatedNetwork
    let faults: ServerFaults
    /// `http://host:port` of the repository host, for the documents.
    let repositoryHost: String

    func respond(to request: HTTPRequest) async -> HTTPReply {
        if let order = faults.meet(.directoryDelay) { try? await Task.sleep(for: .seconds(order.seconds)) }
        if faults.meet(.directoryError) != nil { return HTTPReply(status: .badGateway, error: "UpstreamFailure") }
        if faults.meet(.directoryNotFound) != nil { return .notFound }
        if request.path == "/_health" { return HTTPReply(json: ["version": "weir-simulator"]) }
        guard let identity = await network.identity(of: String(request.path.dropFirst())) else {
            return HTTPReply(status: .notFound, json: ["message": "DID not registered"])
        }
        return HTTPReply(json: Document(identity, repositoryHost: repositoryHost))
    }

    private struct Document: Encodable {
        struct Method: Encodable { var id, type, controller, publicKeyMultibase: String }
        struct Service: Encodable { var id, type, serviceEndpoint: String }

        var context = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
        var id: String
        var alsoKnownAs: [String]
        var verificationMethod: [Method]
        var service: [Service]

        enum CodingKeys: String, CodingKey {
            case context = "@context"
            case id, alsoKnownAs, verificationMethod, service
        }

        init(_ identity: AccountIdentity, repositoryHost: String) {
            id = identity.did
            alsoKnownAs = ["at://\(identity.handle)"]
            verificationMethod = [
                Method(id: "\(identity.did)#atproto", type: "Multikey", controller: identity.did, publicKeyMultibase: identity.multikey)
            ]
            service = [Service(id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: repositoryHost)]
        }
    }
}
