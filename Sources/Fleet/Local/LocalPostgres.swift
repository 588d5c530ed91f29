import Foundation
import Glibc
import Logging
import Subprocess

/// A Postgres of our own, on a Unix socket only: its folder has mode 0700, so whoever can open the socket may be trusted.
struct LocalPostgres: Sendable {
    let folder: DataFolder
    private let programs: String
    private let sockets: String
    private static let versionMin = 15

    init(_ folder: DataFolder) throws(LocalServerError) {
        guard let programs = Self.findPrograms() else {
            throw LocalServerError(
                code: .notInstalled,
                message: "Postgres \(Self.versionMin) or newer is not installed (apt-get install postgresql); or give WEIR_POSTGRES_URL one that runs"
            )
        }
        guard folder.socket(".s.PGSQL.5432") != nil else {
            throw LocalServerError(code: .folder, message: "the path of the data folder is too long for a socket in it: choose a shorter --data")
        }
        self.folder = folder
        self.programs = programs
        sockets = folder.file("run")
    }

    var url: String { LocalAddresses.postgresURL(sockets: sockets) }

    private var data: String { folder.file("postgres/data") }

    func prepare(log: Logger) async throws(LocalServerError) {
        try await StaleServer(pidFile: data + "/postmaster.pid", mark: data, endSignal: SIGINT).end(patience: .seconds(15), log: log)
        guard !FileManager.default.fileExists(atPath: data + "/PG_VERSION") else {
            try checkVersion()
            return
        }
        log.info("making a Postgres database", metadata: ["folder": "\(data)"])
        // Made beside its place and then moved there: an initdb that was interrupted leaves nothing that looks like a database.
        let draft = folder.file("postgres/draft")
        try? FileManager.default.removeItem(atPath: draft)
        let made = await ServerProgram.output(
            of: programs + "/initdb",
            ["-D", draft, "-U", "weir", "--auth-local=trust", "--auth-host=reject", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"],
            user: folder.serverUser)
        guard made.ok else {
            throw LocalServerError(code: .failed, message: "initdb failed in \(draft): \(made.text.suffix(500))")
        }
        guard rename(draft, data) == 0 else {
            throw LocalServerError(code: .failed, message: "cannot move \(draft) to \(data): \(String(cString: strerror(errno)))")
        }
    }

    var server: ServerProgram {
        ServerProgram(
            path: programs + "/postgres",
            arguments: [
                "-D", data, "-k", sockets, "-p", "5432", "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=256MB",
                "-c", "wal_level=logical", "-c", "max_wal_size=2GB", "-c", "log_min_duration_statement=2s", "-c", "log_line_prefix=%m [%p] %a ",
            ],
            user: folder.serverUser, endSignal: .interrupt, log: folder.file("log/postgres.log"))
    }

    /// True when it takes connections; makes the database where it is not there yet.
    func isReady() async -> Bool {
        guard await ServerProgram.output(of: programs + "/pg_isready", ["-q", "-h", sockets, "-p", "5432"]).ok else { return false }
        let found = await psql("select 1 from pg_database where datname = 'weir'")
        guard found.ok else { return false }
        return found.text.contains("1") ? true : await psql("create database weir").ok
    }

    private func psql(_ statement: String) async -> (ok: Bool, text: String) {
        await ServerProgram.output(
            of: programs + "/psql", ["-X", "-A", "-t", "-q", "-h", sockets, "-p", "5432", "-U", "weir", "-d", "postgres", "-c", statement])
    }

    /// Postgres cannot open the files of another major version; say so instead of letting it end with a riddle.
    private func checkVersion() throws(LocalServerError) {
        let found = (try? String(contentsOfFile: data + "/PG_VERSION", encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        guard let version = Self.version(of: programs), "\(version)" != found else { return }
        throw LocalServerError(
            code: .failed, message: "\(data) was made by Postgres \(found), and \(programs) is \(version): install \(found), or remove the folder")
    }

    private static func findPrograms() -> String? {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap(Int.init).sorted(by: >)
        for version in versions where version >= versionMin {
            let folder = "\(root)/\(version)/bin"
            if FileManager.default.isExecutableFile(atPath: folder + "/initdb") { return folder }
        }
        guard let postgres = ServerProgram.find("postgres"), ServerProgram.find("initdb") != nil else { return nil }
        return String(postgres.dropLast("/postgres".count))
    }

    private static func version(of programs: String) -> Int? {
        Int(programs.split(separator: "/").dropLast().last ?? "")
    }
}
