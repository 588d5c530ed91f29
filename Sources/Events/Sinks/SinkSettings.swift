/// What a sink is, as texts: the one form in which configuration, API and ledger hold it. Names have dots for levels: `filter.collections`.
public struct SinkSettings: Hashable, Sendable {
    public struct Setting: Hashable, Sendable {
        public var name: String
        /// Several where it is a list.
        public var values: [String]

        public init(_ name: String, _ values: [String]) {
            self.name = name
            self.values = values
        }
    }

    public static let settingsMax = 64
    public static let valueBytesMax = 8192

    /// In order of name, each once, none without a value.
    public let all: [Setting]

    /// Throws at a name that stands twice, at more than ``settingsMax``, and at a value of more than ``valueBytesMax``.
    public init(_ settings: [Setting]) throws(SinkProblem) {
        let given = settings.filter { !$0.values.isEmpty && $0.values != [""] }.sorted { $0.name < $1.name }
        guard given.count <= Self.settingsMax else {
            throw SinkProblem("settings", given: "\(given.count) settings", allowed: "at most \(Self.settingsMax)")
        }
        for (one, next) in zip(given, given.dropFirst()) where one.name == next.name {
            throw SinkProblem(one.name, given: "twice", allowed: "once")
        }
        for setting in given where setting.values.contains(where: { $0.utf8.count > Self.valueBytesMax || $0.utf8.contains(0) }) {
            throw SinkProblem(setting.name, allowed: "values of at most \(Self.valueBytesMax) bytes, without U+0000")
        }
        all = given
    }

    /// What may not be shown: the values become `•••`, an address keeps what is not its password.
    public var shown: SinkSettings {
        var settings = all
        for index in settings.indices where SinkSettingsReader.isSecret(settings[index].name) { settings[index].values = ["•••"] }
        for index in settings.indices where settings[index].name == "url" { settings[index].values = settings[index].values.map(Self.masked) }
        return (try? SinkSettings(settings)) ?? self
    }

    /// An address without the password in it, and without its query, which may hold one.
    private static func masked(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "•••" }
        var rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") { rest = rest[..<colon] + ":•••" + rest[at...] }
        if let query = rest.firstIndex(of: "?") { rest = rest[..<query] + "?•••" }
        return String(url[..<scheme.upperBound] + rest)
    }
}
