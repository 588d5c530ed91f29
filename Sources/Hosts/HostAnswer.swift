internal import ATProto
internal import Events

/// Reads what a host's answer means from its status, its headers and, of a refusal, the first bytes of its body. No I/O.
///
/// A refusal's body is `{"error": name, "message": text}`; the names are those of the lexicons. A final answer such as "no such repository" counts only
/// where a name says so: a bare 404 is as likely another server that answers at the address.
enum HostAnswer {
    /// Of a refusal's body that are read.
    static let refusalBytesMax = 16 << 10

    /// Nil where the status is 200.
    static func refusal(
        status: Int, body: [UInt8], host: HostEndpoint, now: WallTime, header: (String) -> String?
    ) -> HostError? {
        if status == 200 { return nil }
        let json = try? JSONValue(parsing: body)
        let name = json?["error"]?.string ?? ""
        let said = [name, json?["message"]?.string ?? ""].filter { !$0.isEmpty }.map { printable($0, scalars: 200) }.joined(separator: ": ")
        let code = code(status: status, name: name)
        let message = code == .malformed ? "HTTP \(status), a redirect, is not followed" : "HTTP \(status)" + (said.isEmpty ? "" : ", \(said)")
        let retryAfter = code == .rateLimited || code == .unavailable ? RetryAfter.read(now: now, header: header) : nil
        return HostError(code, message, host: host.authority, retryAfter: retryAfter, status: status)
    }

    private static func code(status: Int, name: String) -> HostError.Code {
        switch (status, name) {
        case (400, "RepoNotFound"), (404, "RepoNotFound"): .notFound
        case (400, "RepoTakendown"), (404, "RepoTakendown"): .takendown
        case (400, "RepoSuspended"), (404, "RepoSuspended"): .suspended
        case (400, "RepoDeactivated"), (404, "RepoDeactivated"): .deactivated
        case (400, "MethodNotImplemented"), (400, "XRPCNotSupported"): .notSupported
        case (404, _), (405, _), (501, _): .notSupported
        case (429, _): .rateLimited
        case (408, _), (500..., _): .unavailable
        case (..<400, _): .malformed
        default: .other
        }
    }

    /// The first scalars of a stranger's text, with a space for each control character: also for a column that refuses U+0000.
    static func printable(_ text: String, scalars: Int) -> String {
        let kept = text.unicodeScalars.prefix(scalars).map { scalar in
            scalar.properties.generalCategory == .control ? " " : scalar
        }
        return String(String.UnicodeScalarView(kept))
    }
}
