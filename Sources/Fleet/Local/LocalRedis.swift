import Glibc
import Logging
import Subprocess

/// A Redis of our own: AOF each second and no eviction, as a work stream needs it; on a Unix socket only, which nobody else may open.
struct LocalRedis: Sendable {
    let folder: DataFolder
    let socket: String
    private let program: String
    /// Bytes at which Redis refuses writes rather than grow: ingesters pause well below it.
    private static let memoryMax = "1gb"
    /// The append-only file is rewritten when it has doubled and is above this. Streams pass through Redis and leave little behind, so from the
    /// default of 64 MB on the fleet's own traffic would make it fork every few seconds.
    private static let rewriteAbove = "512mb"

    init(_ folder: DataFolder) throws(LocalServerError) {
        guard let program = ServerProgram.find("redis-server") else {
            throw LocalServerError(
                code: .notInstalled, message: "redis-server is not installed (apt-get install redis-server); or give WEIR_REDIS_URL a Redis that runs"
            )
        }
        guard let socket = folder.socket("redis.sock") else {
            throw LocalServerError(code: .folder, message: "the path of the data folder is too long for a socket in it: choose a shorter --data")
        }
        self.folder = folder
        self.program = program
        self.socket = socket
    }

    var url: String { LocalAddresses.redisURL(socket: socket) }

    private var pidFile: String { folder.file("run/redis.pid") }

    func prepare(log: Logger) async throws(LocalServerError) {
        // Redis writes its process title over its command line; it keeps the socket's path in it.
        try await StaleServer(pidFile: pidFile, mark: socket, endSignal: SIGTERM).end(patience: .seconds(15), log: log)
        unlink(socket)
    }

    var server: ServerProgram {
        ServerProgram(
            path: program,
            arguments: [
                "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", folder.file("redis"), "--pidfile", pidFile,
                "--daemonize", "no", "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory", Self.memoryMax,
                "--maxmemory-policy", "noeviction", "--auto-aof-rewrite-min-size", Self.rewriteAbove, "--rdbcompression", "no",
                "--proc-title-template", "{title} {unixsocket}",
            ],
            user: folder.serverUser, endSignal: .terminate, log: folder.file("log/redis.log"))
    }

    /// True when it has loaded its data and answers.
    func isReady() async -> Bool {
        guard let client = ServerProgram.find("redis-cli") else { return access(socket, F_OK) == 0 }
        let answer = await ServerProgram.output(of: client, ["-s", socket, "PING"])
        return answer.ok && answer.text.hasPrefix("PONG")
    }
}
