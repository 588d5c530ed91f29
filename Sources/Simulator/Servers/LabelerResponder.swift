import NIOHTTP1

/// A labeler's answers beside its stream.
struct LabelerResponder: HTTPResponder {
    func respond(to request: HTTPRequest) async -> HTTPReply {
        request.path == "/xrpc/_health"
            ? HTTPReply(json: ["version": "weir-simulator"]) : HTTPReply(status: .notImplemented, error: "MethodNotImplemented")
    }
}
