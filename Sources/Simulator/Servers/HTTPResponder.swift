/// Answers requests; the failures of the answer are answers too.
protocol HTTPResponder: Sendable {
    func respond(to request: HTTPRequest) async -> HTTPReply
}
