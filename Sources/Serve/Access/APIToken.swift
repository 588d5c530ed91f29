import ATProto
import Events

/// A bearer token as it is configured: `name:scopes:secret`, or `name:scopes:secret:prefixes`.
///
/// `shop:read+append:s3cr3t…:orders/+carts/` may read runs whose ids begin with `orders/` or `carts/`, create such, and append to them. The secret is what a
/// client sends, 16 to 512 characters of `A-Z a-z 0-9 - . _ ~ + / =` (RFC 6750 §2.1), or `sha256=` and the 64 hexadecimal digits of its SHA-256. Only that
/// digest is kept.
public struct APIToken: Hashable, Sendable {
    /// For logs, and in what it creates: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    public let name: String
    public let scopes: Set<TokenScope>
    /// Runs that it may see and change begin with one of these; nil: all, and what is of no run.
    public let prefixes: [String]?
    let digest: [UInt8]

    public static let prefixesMax = 64

    /// Why a text is no token; the text itself, which holds a secret, is never told.
    public struct NotAToken: Error, Hashable, Sendable {
        public var message: String
    }

    public init(_ text: String) throws(NotAToken) {
        let parts = text.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3 else { throw NotAToken(message: "name:scopes:secret, or name:scopes:secret:prefixes, is allowed") }
        guard (1...64).contains(parts[0].utf8.count), parts[0].utf8.allSatisfy(Self.isName) else {
            throw NotAToken(message: "its name may have 1 to 64 characters of A-Z a-z 0-9 . _ -")
        }
        name = parts[0]
        var scopes: Set<TokenScope> = []
        for scope in parts[1].split(separator: "+", omittingEmptySubsequences: false) {
            guard let scope = TokenScope(rawValue: String(scope)) else {
                throw NotAToken(message: "the scopes of \(name) may be read, append and admin, with + between them")
            }
            scopes.insert(scope)
        }
        self.scopes = scopes
        guard let digest = Self.digest(ofConfigured: parts[2]) else {
            throw NotAToken(
                message: "the secret of \(name) may have 16 to 512 characters of A-Z a-z 0-9 - . _ ~ + / =, or be sha256= and 64 hexadecimal digits")
        }
        self.digest = digest
        guard parts.count == 4 else {
            prefixes = nil
            return
        }
        let prefixes = parts[3].split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        guard prefixes.count <= Self.prefixesMax, prefixes.allSatisfy({ RunID($0) != nil && $0.utf8.count <= 200 }) else {
            throw NotAToken(message: "the prefixes of \(name) may be up to \(Self.prefixesMax) beginnings of runs' ids, with + between them")
        }
        self.prefixes = prefixes
    }

    /// Of a secret as a client sends it.
    static func digest(of secret: some Collection<UInt8>) -> [UInt8] { Digest(hashing: Array(secret)).bytes }

    static func isSecret(_ text: String) -> Bool {
        (1...512).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"),
                    UInt8(ascii: "="):
                    true
                default: false
                }
            }
    }

    private static func digest(ofConfigured text: String) -> [UInt8]? {
        if text.hasPrefix("sha256="), text.utf8.count == 71 {
            var bytes: [UInt8] = []
            var rest = text.dropFirst(7)
            while !rest.isEmpty {
                guard let byte = UInt8(rest.prefix(2), radix: 16), rest.first != "+", rest.first != "-" else { return nil }
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            return bytes
        }
        guard isSecret(text), text.utf8.count >= 16 else { return nil }
        return digest(of: text.utf8)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension APIToken {
    /// False where one secret is that of two tokens: it would not be known whose it is.
    public static func haveDifferentSecrets(_ tokens: [APIToken]) -> Bool { Set(tokens.map(\.digest)).count == tokens.count }
}
