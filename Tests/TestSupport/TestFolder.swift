import Foundation

/// Folders for the files of tests, under one folder a test process, which is removed when the process ends, however it ends.
public enum TestFolder {
    /// A shell removes the folder once the pipe that it reads closes; the write end is this process's alone, and stays open until its end.
    private static let base = Result { () throws -> String in
        let temporary = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let path = "\(temporary)/weir-test-\(getpid())-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let (_, _, output) = try ChildProcess.spawn(["/bin/sh", "-c", "read -r _; sleep 3; rm -rf \"$0\"", path])
        close(output)
        return path
    }

    /// A new empty folder that belongs to `user` where the process runs as root.
    public static func make(_ name: String, user: ServerUser? = nil) throws -> String {
        let path = try "\(base.get())/\(name)-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        if let user, geteuid() == 0 { chown(path, user.id, user.group) }
        return path
    }
}
