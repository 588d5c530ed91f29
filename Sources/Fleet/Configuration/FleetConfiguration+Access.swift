import Flow
import Foundation
import Serve

/// Who may use the API.
extension FleetConfiguration {
    public var apiBodyBytes: Int { values.integer("api.body_bytes") }
    /// As written: secrets stand in them.
    var apiTokens: [String] { values.list("api.tokens") }
    public var apiTokensFile: String? { values.text("api.tokens_file") }
    public var apiAllowsAnonymous: Bool { values.flag("api.allow_anonymous") }
    /// Requests a second.
    public var apiTokenRate: Int { values.integer("api.token_rate") }
    public var apiTokenConnections: Int { values.integer("api.token_connections") }

    static let tokensFileBytesMax = 1 << 20

    /// The tokens of the key and of the file, and their limits. Throws where the file cannot be read, a line of it is no token, or two share a name or secret.
    func apiAccess() throws(ConfigurationError) -> APIAccess {
        var tokens: [APIToken] = []
        for text in apiTokens {
            do throws(APIToken.NotAToken) { tokens.append(try APIToken(text)) } catch { throw refusal("api.tokens", error.message) }
        }
        tokens += try tokensOfFile()
        guard Set(tokens.map(\.name)).count == tokens.count else { throw refusal("api.tokens", "two tokens have one name") }
        guard APIToken.haveDifferentSecrets(tokens) else { throw refusal("api.tokens", "two tokens have one secret") }
        return APIAccess(
            tokens: tokens, allowsAnonymousReads: apiAllowsAnonymous,
            rate: RateBucket.Limits(perSecond: apiTokenRate, burst: apiTokenRate * 2), connectionsMax: apiTokenConnections)
    }

    private func tokensOfFile() throws(ConfigurationError) -> [APIToken] {
        guard let path = apiTokensFile else { return [] }
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw refusal("api.tokens_file", "it cannot be read: \(error.localizedDescription)")
        }
        guard text.utf8.count <= Self.tokensFileBytesMax else {
            throw refusal("api.tokens_file", "at most \(Self.tokensFileBytesMax) bytes are allowed")
        }
        var tokens: [APIToken] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespaces.union(.newlines))
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            do throws(APIToken.NotAToken) {
                tokens.append(try APIToken(line))
            } catch {
                throw refusal("api.tokens_file", "line \(index + 1): \(error.message)")
            }
        }
        return tokens
    }

    /// An address that others can reach takes no API without authentication, unless it is said that this is meant.
    func checkAuthentication(_ access: APIAccess) throws(ConfigurationError) {
        guard !apiBind.isLoopback, access.tokens.isEmpty, !apiAllowsAnonymous, !apiAllowsWrites else { return }
        throw refusal(
            "api.bind",
            "others can reach this address, and there are no tokens: api.tokens or api.tokens_file is needed, or api.allow_anonymous = true where everybody may read"
        )
    }

    private func refusal(_ path: String, _ message: String) -> ConfigurationError { ConfigurationError(problems: [problem(path, message)]) }
}
