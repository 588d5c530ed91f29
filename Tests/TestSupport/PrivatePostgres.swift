import Foundation

/// A PostgreSQL server of a test's own: on a free loopback port and a Unix socket, user and database `weir`, no password.
///
/// `fsync` is off: a `kill` of the process loses nothing, a crash of the machine would.
public actor PrivatePostgres {
    public nonisolated let port: Int
    public nonisolated let folder: String
    public nonisolated var url: String { "postgres://weir@127.0.0.1:\(port)/weir" }
    /// The folder of its Unix socket, as `host` of a connection string.
    public nonisolated var socketFolder: String { folder }
    private let user: ServerUser?
    private let settings: [String: String]
    private var child: ChildProcess?

    /// Creates a cluster and starts its server. `settings` go on its command line (`["wal_level": "logical"]`).
    public static func start(settings: [String: String] = [:]) async throws -> PrivatePostgres {
        let user = ServerUser("postgres", "nobody")
        let folder = try TestFolder.make("postgres", user: user)
        let initialize = [
            try Programs.path("initdb"), "-D", "\(folder)/data", "-U", "weir", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync",
        ]
        try await ChildProcess.run(user?.command(initialize) ?? initialize)
        var attempt = 1
        while true {
            let server = PrivatePostgres(port: try FreePort.choose(), folder: folder, user: user, settings: settings)
            do {
                try await server.start()
                let create = [try Programs.path("createdb"), "-h", "127.0.0.1", "-p", "\(server.port)", "-U", "weir", "weir"]
                try await ChildProcess.run(create)
                return server
            } catch  where attempt < 4 {
                await server.stop()
                attempt += 1
            }
        }
    }

    private init(port: Int, folder: String, user: ServerUser?, settings: [String: String]) {
        self.port = port
        self.folder = folder
        self.user = user
        let defaults = [
            "port": "\(port)", "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": "off", "max_connections": "200",
            "shared_buffers": "32MB", "logging_collector": "off",
        ]
        self.settings = defaults.merging(settings) { _, given in given }
    }

    /// Starts the server again, on the same port and data, after ``stop()`` or ``kill()``.
    public func start() async throws {
        guard child == nil else { return }
        let options = settings.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
        let command = [try Programs.path("postgres"), "-D", "\(folder)/data"] + options
        child = try await ChildProcess.start(user?.command(command) ?? command, readyLine: "is ready to accept connections")
    }

    /// Ends it as `pg_ctl stop -m fast` does and waits for its end.
    public func stop() async { await end(SIGINT) }

    /// Ends every process of it at once, without a checkpoint (`pg_ctl stop -m immediate`); the next start recovers.
    public func kill() async { await end(SIGQUIT) }

    public func restart() async throws {
        await stop()
        try await start()
    }

    /// Stops the postmaster in mid-work (SIGSTOP): no new connection is answered; open ones, which have processes of their own, go on.
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
