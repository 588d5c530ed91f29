import Foundation
import Glibc

/// The folder in which `weir up` keeps its servers' data: `redis/`, `postgres/`, `run/` (sockets, mode 0700), `log/`.
///
/// Taken by one process at a time: a lock on the file `lock`, which the kernel gives back however that process ends.
/// What a crash leaves behind: server processes that have not ended yet, and their pid files; the next start deals with both.
final class DataFolder: Sendable {
    /// Where the data is: what was asked for, unless Postgres' user could not get there.
    let path: String
    /// Who owns what the servers write; nil: this process' own user.
    let serverUser: SystemUser?
    private let lock: Int32

    /// - Throws: `inUse` where another process has it, `folder` where it cannot be made.
    init(_ wanted: String) throws(LocalServerError) {
        serverUser = SystemUser.forServers
        if SystemUser.isRoot, serverUser == nil {
            throw LocalServerError(
                code: .notInstalled, message: "Postgres does not run as root, and this machine has neither a user postgres nor nobody")
        }
        path = try Self.make(wanted, for: serverUser)
        lock = try Self.lock(path)
        for name in ["redis", "postgres", "run", "log"] { try makeFolder(name) }
    }

    deinit { close(lock) }

    func file(_ name: String) -> String { path + "/" + name }

    /// A path for a socket in this folder; nil where it would be longer than what fits into a socket's address (107 bytes).
    func socket(_ name: String) -> String? {
        let socket = file("run/" + name)
        return socket.utf8.count <= 100 ? socket : nil
    }

    private func makeFolder(_ name: String) throws(LocalServerError) {
        let folder = file(name)
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Self.failure("make", folder) }
        if let serverUser, chown(folder, serverUser.userID, serverUser.groupID) != 0 { throw Self.failure("give away", folder) }
        guard chmod(folder, 0o700) == 0 else { throw Self.failure("protect", folder) }
    }

    /// Makes the folder; where the servers' user could not get into it (a home of mode 0700 above it), one in `/var/tmp` instead.
    private static func make(_ wanted: String, for user: SystemUser?) throws(LocalServerError) -> String {
        let absolute = URL(fileURLWithPath: wanted).standardizedFileURL.path
        try create(absolute, mode: 0o755)
        guard let user, !isReachable(absolute, by: user) else { return absolute }
        let other = "/var/tmp/weir-\(fingerprint(absolute))"
        try create(other, mode: 0o755)
        // Whoever looks into the folder that was asked for is told where the data is.
        try? "\(other)\n".write(toFile: absolute + "/moved-to", atomically: true, encoding: .utf8)
        return other
    }

    private static func create(_ folder: String, mode: mode_t) throws(LocalServerError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw LocalServerError(code: .folder, message: "cannot make the data folder \(folder): \(error.localizedDescription)")
        }
        var status = stat()
        // In a folder that everybody may write to, somebody else could have put one of this name in place.
        guard lstat(folder, &status) == 0, status.st_uid == geteuid() || !folder.hasPrefix("/var/tmp/") else {
            throw LocalServerError(code: .folder, message: "the data folder \(folder) belongs to somebody else")
        }
    }

    /// Every folder on the way must let others through.
    private static func isReachable(_ path: String, by user: SystemUser) -> Bool {
        var folder = URL(fileURLWithPath: path)
        while folder.path != "/" {
            var status = stat()
            guard stat(folder.path, &status) == 0 else { return false }
            let bit: mode_t = status.st_uid == user.userID ? S_IXUSR : status.st_gid == user.groupID ? S_IXGRP : S_IXOTH
            if status.st_mode & bit == 0 { return false }
            folder.deleteLastPathComponent()
        }
        return true
    }

    private static func lock(_ path: String) throws(LocalServerError) -> Int32 {
        let file = path + "/lock"
        // Not passed on to the servers: their copy would hold the lock after this process' end.
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("open", file) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = (try? String(contentsOfFile: file, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
            close(descriptor)
            throw LocalServerError(
                code: .inUse,
                message: "another weir up works on \(path)\(owner.isEmpty ? "" : " (process \(owner))"); stop it, or choose another --data")
        }
        let owner = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = owner.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        return descriptor
    }

    private static func fingerprint(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            hash ^= UInt64(byte)
            hash &*= 0x0000_0100_0000_01b3
        }
        return String(hash, radix: 36)
    }

    private static func failure(_ action: String, _ path: String) -> LocalServerError {
        LocalServerError(code: .folder, message: "cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }
}
