import ATProto
import Events
import Serve

/// Why a text is not a value of a kind: what is allowed, in words.
struct NotAllowed: Error, Hashable {
    var message: String
}

extension ConfigurationKey.Kind {
    /// Reads one text (or, of a list in a file, its items). An empty text is no value.
    func read(_ raw: RawValue) throws(NotAllowed) -> ConfigurationValue {
        if case .urls(let schemes) = self {
            var urls: [String] = []
            for item in raw.items { urls.append(try Self.url(item, schemes: schemes, bareHostAllowed: true)) }
            return .list(urls)
        }
        if case .dids = self {
            for item in raw.items where !Syntax.isDID(item) { throw NotAllowed(message: allowed) }
            return .list(raw.items)
        }
        if case .patterns = self {
            guard raw.items.allSatisfy({ CollectionPattern($0) != nil }) else { throw NotAllowed(message: allowed) }
            return .list(raw.items)
        }
        if case .tokens = self {
            for item in raw.items {
                do throws(APIToken.NotAToken) { _ = try APIToken(item) } catch { throw NotAllowed(message: error.message) }
            }
            return .list(raw.items)
        }
        guard case .scalar(let text) = raw else { throw NotAllowed(message: "one value is needed, not a list") }
        if text.isEmpty { return .none }
        return try read(text)
    }

    private func read(_ text: String) throws(NotAllowed) -> ConfigurationValue {
        switch self {
        case .text(let bytesMax):
            guard text.utf8.count <= bytesMax else { throw NotAllowed(message: allowed) }
            return .text(text)
        case .dids: return .list([text])
        case .url(let schemes), .urls(let schemes):
            return .text(try Self.url(text, schemes: schemes, bareHostAllowed: false))
        case .patterns, .tokens:
            return .list([text])
        case .integer(let range):
            guard let number = Int(text.filter { $0 != "_" }), range.contains(number) else { throw NotAllowed(message: allowed) }
            return .integer(number)
        case .bytes(let range):
            guard let number = Self.bytes(text), range.contains(number) else { throw NotAllowed(message: allowed) }
            return .integer(number)
        case .duration(let range):
            guard let duration = Self.duration(text), range.contains(duration) else { throw NotAllowed(message: allowed) }
            return .duration(duration)
        case .choice(let choices):
            guard choices.contains(text) else {
                throw NotAllowed(message: allowed + NearName.suggestion(for: text, among: choices))
            }
            return .text(text)
        case .flag:
            switch text.lowercased() {
            case "true", "yes", "on", "1": return .flag(true)
            case "false", "no", "off", "0": return .flag(false)
            default: throw NotAllowed(message: allowed)
            }
        case .address:
            guard BindAddress(text) != nil else { throw NotAllowed(message: allowed) }
            return .text(text)
        }
    }

    /// What a value must be, as the end of "… is allowed".
    public var allowed: String {
        switch self {
        case .text(let bytesMax): "a text of at most \(bytesMax) bytes is allowed"
        case .url(let schemes): "an address is allowed that begins with \(Self.list(schemes.map { $0 + "://" }))"
        case .urls(let schemes):
            "addresses are allowed that begin with \(Self.list(schemes.map { $0 + "://" })), or bare hosts; separated by commas"
        case .dids: "DIDs are allowed, as did:plc:…; separated by commas"
        case .patterns: "collections are allowed, as app.bsky.feed.post or app.bsky.feed.*; separated by commas"
        case .tokens: "tokens are allowed, as name:read+append:secret or name:read:secret:prefix/; separated by commas"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound) is allowed"
        case .bytes(let range): "a size from \(Self.format(bytes: range.lowerBound)) to \(Self.format(bytes: range.upperBound)) is allowed, as 64MiB"
        case .duration(let range):
            "a time from \(Self.format(range.lowerBound)) to \(Self.format(range.upperBound)) with its unit (ms, s, min, h, d) is allowed, as 5s"
        case .choice(let choices): "one of \(Self.list(choices)) is allowed"
        case .flag: "true or false is allowed"
        case .address: "host:port is allowed, as 127.0.0.1:7480 or [::1]:7480"
        }
    }

    private static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    private static func url(_ text: String, schemes: [String], bareHostAllowed: Bool) throws(NotAllowed) -> String {
        let kind: Self = bareHostAllowed ? .urls(schemes: schemes) : .url(schemes: schemes)
        var text = text
        if !text.contains("://"), bareHostAllowed, let scheme = schemes.first { text = scheme + "://" + text }
        guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0 + "://") }) else { throw NotAllowed(message: kind.allowed) }
        // A control character or a space would end up in a request line or a log line.
        let rest = text.dropFirst(scheme.count + 3)
        guard !rest.isEmpty, rest.utf8.count <= 2048, rest.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw NotAllowed(message: kind.allowed)
        }
        return text
    }

    private static func bytes(_ text: String) -> Int? {
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(unit.count)) else { return nil }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
            return overflow ? nil : bytes
        }
        return Int(text)
    }

    private static func duration(_ text: String) -> Duration? {
        let units: [(String, Int)] = [("ms", 1), ("min", 60_000), ("s", 1000), ("h", 3_600_000), ("d", 86_400_000)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(unit.count)), number >= 0 else { return nil }
            let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
            return overflow ? nil : .milliseconds(milliseconds)
        }
        return nil
    }

    static func format(bytes: Int) -> String {
        for (unit, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes >= factor && bytes % factor == 0 {
            return "\(bytes / factor)\(unit)"
        }
        return "\(bytes)"
    }

    static func format(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        for (unit, factor) in [("d", Int64(86_400_000)), ("h", 3_600_000), ("min", 60_000), ("s", 1000)]
        where milliseconds >= factor && milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}
