import Glibc

/// A user of this machine.
struct SystemUser: Hashable, Sendable {
    var name: String
    var userID: uid_t
    var groupID: gid_t

    static var isRoot: Bool { geteuid() == 0 }

    /// Who runs the servers where Weir itself is root: Postgres refuses to be root. Nil where Weir is not root, or has nobody to step down to.
    static var forServers: SystemUser? {
        guard isRoot else { return nil }
        return named("postgres") ?? named("nobody")
    }

    static func named(_ name: String) -> SystemUser? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return SystemUser(name: name, userID: entry.pw_uid, groupID: entry.pw_gid)
    }
}
