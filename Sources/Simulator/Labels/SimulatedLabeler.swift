import ATProto

/// Who a labeler is, and what it has labeled.
struct SimulatedLabeler: Sendable {
    let did: String
    let handle: String
    let key: SigningKey
    var book = LabelBook()

    /// From the seed and the labeler's place alone.
    init(seed: UInt64, index: Int) throws(FormatError) {
        let names = AccountNames(seed: seed)
        did = names.did(labeler: index)
        handle = "labeler\(index).weir.test"
        key = try SigningKey(index % 2 == 0 ? .k256 : .p256, secret: names.keySeed(index, generation: 3_000_000))
    }

    /// Its document: a service and a key for labels, and no repository.
    func document(serviceURL: String) -> String {
        "{\"@context\":[\"https://www.w3.org/ns/did/v1\",\"https://w3id.org/security/multikey/v1\"],"
            + "\"alsoKnownAs\":[\"at://\(handle)\"],\"id\":\"\(did)\","
            + "\"service\":[{\"id\":\"#atproto_labeler\",\"serviceEndpoint\":\"\(serviceURL)\",\"type\":\"AtprotoLabeler\"}],"
            + "\"verificationMethod\":[{\"controller\":\"\(did)\",\"id\":\"\(did)#atproto_label\","
            + "\"publicKeyMultibase\":\"\(key.verificationKey.multikey)\",\"type\":\"Multikey\"}]}"
    }
}
