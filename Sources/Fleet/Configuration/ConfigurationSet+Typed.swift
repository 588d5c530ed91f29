/// Typed reads. A path that the table lacks, or of another kind, is a mistake of this program that any start finds: it stops.
extension ConfigurationSet {
    private func value(_ path: String) -> ConfigurationValue {
        guard let entry = self[path] else { preconditionFailure("the table of configuration has no key \(path)") }
        return entry.value
    }

    /// Nil where the key is not set.
    func text(_ path: String) -> String? {
        switch value(path) {
        case .text(let text): text
        case .none: nil
        default: preconditionFailure("\(path) is not a text")
        }
    }

    func list(_ path: String) -> [String] {
        guard case .list(let items) = value(path) else { preconditionFailure("\(path) is not a list") }
        return items
    }

    func integer(_ path: String) -> Int {
        guard case .integer(let number) = value(path) else { preconditionFailure("\(path) is not a number") }
        return number
    }

    func duration(_ path: String) -> Duration {
        guard case .duration(let duration) = value(path) else { preconditionFailure("\(path) is not a time") }
        return duration
    }

    func flag(_ path: String) -> Bool {
        guard case .flag(let flag) = value(path) else { preconditionFailure("\(path) is not true or false") }
        return flag
    }

    func address(_ path: String) -> BindAddress {
        guard let address = text(path).flatMap({ BindAddress($0) }) else { preconditionFailure("\(path) is not an address") }
        return address
    }
}
