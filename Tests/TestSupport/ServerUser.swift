import Foundation

/// The account that a server of a test runs as where the tests run as root: databases refuse root, and need it for nothing.
public struct ServerUser: Sendable {
    let id: uid_t
    let group: gid_t

    /// The first of these names that the machine has; nil where it has none.
    public init?(_ names: String...) {
        for name in names {
            if let entry = getpwnam(name)?.pointee {
                id = entry.pw_uid
                group = entry.pw_gid
                return
            }
        }
        return nil
    }

    /// The command, as run by this user: unchanged where the process is not root.
    func command(_ command: [String]) -> [String] {
        guard geteuid() == 0 else { return command }
        return ["/usr/bin/setpriv", "--reuid=\(id)", "--regid=\(group)", "--clear-groups"] + command
    }
}
