import NIOHTTP1

/// A directory of `did:plc`: `GET /did:plc:…` gives the DID document, 404 where there is none.
struct DirectoryServer: HTTPResponder {
    let network: SimulatedNetwork
    let faults: ServerFaults
    /// `http://host:port` of each repository host, for the documents.
    let repositoryHosts: [String]
    /// The labelers' documents, by DID.
    let labelers: [String: String]

    func respond(to request: HTTPRequest) async -> HTTPReply {
        if let order = faults.meet(.directoryDelay) { try? await Task.sleep(for: .seconds(order.seconds)) }
        if faults.meet(.directoryError) != nil { return HTTPReply(status: .badGateway, error: "UpstreamFailure") }
        if faults.meet(.directoryNotFound) != nil { return .notFound }
        if request.path == "/_health" { return HTTPReply(json: ["version": "weir-simulator"]) }
        let did = String(request.path.dropFirst())
        if let document = labelers[did] { return HTTPReply(jsonText: document) }
        guard let identity = await network.identity(of: did) else {
            return HTTPReply(status: .notFound, json: ["message": "DID not registered"])
        }
        return HTTPReply(jsonText: document(identity))
    }

    /// Written by hand: 20,000 of them are fetched at once. No value of it needs escaping.
    private func document(_ identity: AccountIdentity) -> String {
        let did = identity.did
        return "{\"@context\":[\"https://www.w3.org/ns/did/v1\",\"https://w3id.org/security/multikey/v1\"],"
            + "\"alsoKnownAs\":[\"at://\(identity.handle)\"],\"id\":\"\(did)\","
            + "\"service\":[{\"id\":\"#atproto_pds\",\"serviceEndpoint\":\"\(repositoryHosts[identity.host])\","
            + "\"type\":\"AtprotoPersonalDataServer\"}],\"verificationMethod\":[{\"controller\":\"\(did)\",\"id\":\"\(did)#atproto\","
            + "\"publicKeyMultibase\":\"\(identity.multikey)\",\"type\":\"Multikey\"}]}"
    }
}
