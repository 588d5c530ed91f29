/// Where a value was written, so that whoever has to correct it finds the place.
public enum ConfigurationOrigin: Hashable, Sendable, CustomStringConvertible {
    case standard
    case file(path: String, line: Int)
    case variable(String)
    case flag(String)
    /// Set by the command itself, such as the addresses of the servers that `weir up` starts.
    case command(String)

    public var description: String {
        switch self {
        case .standard: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .variable(let name): "variable \(name)"
        case .flag(let text): "flag \(text)"
        case .command(let name): "set by \(name)"
        }
    }
}
