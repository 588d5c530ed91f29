import NIOHTTP1

/// A request as the simulator's servers see it.
struct HTTPRequest: Sendable {
    var method: HTTPMethod
    var uri: String
    var body: [UInt8] = []

    /// Without the query.
    var path: String { String(uri.prefix { $0 != "?" }).removingPercentEscapes }

    /// The first value of each name, unescaped.
    var query: [String: String] {
        guard let mark = uri.firstIndex(of: "?") else { return [:] }
        var result: [String: String] = [:]
        for pair in uri[uri.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0]).removingPercentEscapes
            if result[name] == nil { result[name] = parts.count == 2 ? String(parts[1]).removingPercentEscapes : "" }
        }
        return result
    }
}

extension String {
    /// `%3A` becomes `:`; what is no escape stays.
    fileprivate var removingPercentEscapes: String {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        let bytes = Array(utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                out.append(byte)
                index += 3
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
