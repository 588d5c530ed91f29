import Foundation

/// A Redis server of a test's own: on a free loopback port and on a Unix socket, in a folder of its own.
///
/// It keeps nothing on disk unless `appendOnly` is true (each write is then synced, so a `kill` loses none).
public actor PrivateRedis {
    public nonisolated let port: Int
    /// With the port of ``port``; no password.
    public nonisolated var url: String { "redis://127.0.0.1:\(port)" }
    public nonisolated var socketPath: String { "\(folder)/redis.sock" }
    public nonisolated let folder: String
    /// The account that it runs as: whoever makes a file for it (a key) gives it to this user.
    public static let user = ServerUser("redis", "nobody")
    private let arguments: [String]
    private var child: ChildProcess?

    /// Starts a server. `arguments` are appended to its command line (`["--maxmemory", "8mb"]`).
    public static func start(appendOnly: Bool = false, arguments: [String] = []) async throws -> PrivateRedis {
        let folder = try TestFolder.make("redis", user: user)
        var attempt = 1
        while true {
            let server = PrivateRedis(port: try FreePort.choose(), folder: folder, appendOnly: appendOnly, arguments: arguments)
            do {
                try await server.start()
                return server
            } catch  where attempt < 4 {
                attempt += 1
            }
        }
    }

    private init(port: Int, folder: String, appendOnly: Bool, arguments: [String]) {
        self.port = port
        self.folder = folder
        self.arguments =
            [
                "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", "\(folder)/redis.sock", "--unixsocketperm", "777", "--dir", folder,
                "--save", "", "--appendonly", appendOnly ? "yes" : "no", "--appendfsync", "always", "--daemonize", "no",
            ] + arguments
    }

    /// Starts the server again, on the same port and folder, after ``stop()`` or ``kill()``.
    public func start() async throws {
        guard child == nil else { return }
        let command = try ["redis-server"].map(Programs.path) + arguments
        child = try await ChildProcess.start(Self.user?.command(command) ?? command, readyLine: "eady to accept connections")
    }

    /// Ends it in order and waits for its end.
    public func stop() async { await end(SIGTERM) }

    /// Ends it by SIGKILL and waits for its end.
    public func kill() async { await end(SIGKILL) }

    public func restart() async throws {
        await stop()
        try await start()
    }

    /// Bytes of the append-only file's part that grows; 0 where it keeps none.
    public func appendOnlyBytes() throws -> Int {
        guard let path = try growingFile() else { return 0 }
        return try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }

    /// Ends it by SIGKILL and cuts the append-only file down to so many bytes, as a crash of the machine does to what was not yet synced.
    public func killAndCut(toBytes size: Int) async throws {
        await kill()
        guard let path = try growingFile() else { throw TestSupportError("this Redis keeps no append-only file") }
        guard truncate(path, off_t(size)) == 0 else { throw TestSupportError("truncate \(path): errno \(errno)") }
    }

    private func growingFile() throws -> String? {
        let directory = "\(folder)/appendonlydir"
        guard FileManager.default.fileExists(atPath: directory) else { return nil }
        return try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".incr.aof") }.max().map { "\(directory)/\($0)" }
    }

    /// Stops it in mid-work (SIGSTOP): connections stay open and are silent.
    public func pause() { child?.signal(SIGSTOP) }
    public func resume() { child?.signal(SIGCONT) }

    public var processID: Int32? { child?.processID }
    /// The last lines of its log.
    public var log: String { child?.output ?? "" }

    private func end(_ signal: Int32) async {
        guard let child else { return }
        child.signal(SIGCONT)
        child.signal(signal)
        await child.waitForExit()
        self.child = nil
    }
}
