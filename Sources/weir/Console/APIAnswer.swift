import Fleet

/// What the API answers to a command: its refusals in words.
enum APIAnswer {
    /// An API that does not answer ends the command with code 3.
    static func asked<Value>(_ ask: () async throws -> Value) async throws -> Value {
        do {
            return try await ask()
        } catch let error as APIClientError {
            throw Failure(error.message, code: ExitCodes.notReady)
        }
    }

    /// A problem document in one line.
    ///
    /// - Parameter told: how many the API has taken before.
    static func failure(_ status: Int, _ body: [UInt8], told: Int = 0) -> Failure {
        guard let problem = JSONTree(body), let detail = problem["detail"]?.text else { return Failure("the API answers \(status)") }
        var text = detail
        if let pointer = problem["pointer"]?.text, !pointer.isEmpty { text += " (\(pointer))" }
        if let given = problem["given"]?.text { text += ": \(given)" }
        if let allowed = problem["allowed"]?.text { text += "; allowed: \(allowed)" }
        if told > 0 { text += "; \(told) were taken before" }
        return Failure(Terminal.safe(text), code: status == 503 ? ExitCodes.notReady : ExitCodes.failed)
    }
}
