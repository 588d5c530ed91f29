import Foundation

/// Where the servers of a `weir up` are, for commands that look into them from beside.
public struct LocalAddresses: Hashable, Sendable {
    public var redisURL: String
    public var postgresURL: String

    /// Nil where no `weir up` has its servers in that folder, or in the one that it was moved to.
    public init?(folder: String) {
        let moved = (try? String(contentsOfFile: folder + "/moved-to", encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        let run = URL(fileURLWithPath: moved ?? folder).standardizedFileURL.path + "/run"
        guard FileManager.default.fileExists(atPath: run + "/redis.sock") || FileManager.default.fileExists(atPath: run + "/.s.PGSQL.5432") else {
            return nil
        }
        redisURL = Self.redisURL(socket: run + "/redis.sock")
        postgresURL = Self.postgresURL(sockets: run)
    }

    static func redisURL(socket: String) -> String {
        "redis+unix://" + (socket.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? socket)
    }

    /// libpq takes a folder of sockets as a parameter, in percent-encoding.
    static func postgresURL(sockets: String) -> String {
        "postgres:///weir?host=\(sockets.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? sockets)&user=weir"
    }
}
