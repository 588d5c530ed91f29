/// Why a server could not start.
public enum ServeError: Error, Hashable, Sendable, CustomStringConvertible {
    case badBind(String)
    case cannotListen(String, String)
    case badConfiguration([String])

    public var description: String {
        switch self {
        case .badBind(let text): "bind address \(text) is not allowed; allowed: host:port, as 127.0.0.1:7480 or [::1]:7480"
        case .cannotListen(let address, let cause): "cannot listen on \(address): \(cause)"
        case .badConfiguration(let problems): problems.joined(separator: "; ")
        }
    }
}
