import Foundation

/// A certificate authority made for one test, and a server certificate of it for `localhost` and `127.0.0.1`; PEM files, valid for two days.
public struct TestCertificate: Sendable {
    public let authorityPath: String
    public let certificatePath: String
    public let keyPath: String

    /// Makes both with the `openssl` program, readable for `user` and this process.
    public static func make(user: ServerUser? = nil) async throws -> TestCertificate {
        let folder = try TestFolder.make("tls", user: user)
        let openssl = try Programs.path("openssl")
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        try await ChildProcess.run([
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=weir test authority",
            "-keyout", "\(folder)/ca.key", "-out", "\(folder)/ca.pem",
        ])
        try await ChildProcess.run([
            openssl, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-addext", names,
            "-keyout", "\(folder)/server.key", "-out", "\(folder)/server.csr",
        ])
        try await ChildProcess.run([
            openssl, "x509", "-req", "-in", "\(folder)/server.csr", "-CA", "\(folder)/ca.pem", "-CAkey", "\(folder)/ca.key", "-CAcreateserial",
            "-days", "2", "-copy_extensions", "copy", "-out", "\(folder)/server.pem",
        ])
        if let user, geteuid() == 0 {
            for name in ["server.key", "server.pem", "ca.pem"] { chown("\(folder)/\(name)", user.id, user.group) }
        }
        return TestCertificate(authorityPath: "\(folder)/ca.pem", certificatePath: "\(folder)/server.pem", keyPath: "\(folder)/server.key")
    }
}
