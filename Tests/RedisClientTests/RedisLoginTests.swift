import NIOSSL
import RedisClient
import TestSupport
import Testing

/// Ways to reach a server and to log in.
@Suite(.timeLimit(.minutes(10))) struct RedisLoginTests {
    private func ping(_ configuration: RedisConfiguration) async throws -> String {
        var configuration = configuration
        configuration.connectTimeout = .seconds(60)
        let connection = try await RedisConnection.connect(configuration)
        let answer = try await connection.send(RedisCommand("PING")).string()
        await connection.close()
        return answer
    }

    @Test("an ACL user logs in; a wrong or missing password is refused as such") func acl() async throws {
        let redis = try await PrivateRedis.start()
        let admin = try await RedisConnection.connect(RedisConfiguration(url: redis.url))
        try await admin.send(RedisCommand("ACL", "SETUSER", "weir", "on", ">p@ss/word", "~*", "+@all"))
        try await admin.send(RedisCommand("ACL", "SETUSER", "default", "resetpass", "off"))
        await admin.close()
        #expect(try await ping(RedisConfiguration(url: "redis://weir:p%40ss%2Fword@127.0.0.1:\(redis.port)")) == "PONG")
        for url in ["redis://weir:wrong@127.0.0.1:\(redis.port)", "redis://127.0.0.1:\(redis.port)"] {
            let error = await #expect(throws: RedisError.self) { try await ping(RedisConfiguration(url: url)) }
            #expect(error?.code == .connectFailed)
            #expect(error?.serverError?.kind == .noAuth)
            #expect(error?.description.contains("wrong@") == false)
        }
        await redis.stop()
    }

    @Test("a password without a user logs in as the default user") func defaultUser() async throws {
        let redis = try await PrivateRedis.start(arguments: ["--requirepass", "s"])
        #expect(try await ping(RedisConfiguration(url: "redis://:s@127.0.0.1:\(redis.port)")) == "PONG")
        await redis.stop()
    }

    @Test("the database number and the client's name are set; a number that the server lacks is refused") func database() async throws {
        let redis = try await PrivateRedis.start()
        let connection = try await RedisConnection.connect(RedisConfiguration(url: "\(redis.url)/5?client_name=weir%20test"))
        let info = try await connection.send(RedisCommand("CLIENT", "INFO")).string()
        #expect(info.contains(" db=5 ") && info.contains(" name=weir-test "))
        await connection.close()
        let error = await #expect(throws: RedisError.self) { try await ping(RedisConfiguration(url: "\(redis.url)/4000")) }
        #expect(error?.code == .connectFailed && error?.serverError != nil)
        await redis.stop()
    }

    @Test("a Unix socket works as an address") func unixSocket() async throws {
        let redis = try await PrivateRedis.start()
        #expect(try await ping(RedisConfiguration(url: "redis+unix://\(redis.socketPath)?db=1")) == "PONG")
        await redis.stop()
    }

    @Test("TLS checks the certificate and the name, unless it is told not to") func tls() async throws {
        let certificate = try await TestCertificate.make(user: PrivateRedis.user)
        let port = try FreePort.choose()
        let redis = try await PrivateRedis.start(arguments: [
            "--tls-port", "\(port)", "--tls-cert-file", certificate.certificatePath, "--tls-key-file", certificate.keyPath, "--tls-ca-cert-file",
            certificate.authorityPath, "--tls-auth-clients", "no",
        ])
        for host in ["localhost", "127.0.0.1"] {
            #expect(try await ping(RedisConfiguration(url: "rediss://\(host):\(port)?ca_file=\(certificate.authorityPath)")) == "PONG")
        }
        #expect(try await ping(RedisConfiguration(url: "rediss://localhost:\(port)?insecure=true")) == "PONG")
        let unknown = await #expect(throws: RedisError.self) { try await ping(RedisConfiguration(url: "rediss://localhost:\(port)")) }
        #expect(unknown?.code == .connectFailed)
        #expect(unknown?.cause.lowercased().contains("certificate") == true)
        let missing = await #expect(throws: RedisError.self) {
            try await ping(RedisConfiguration(url: "rediss://localhost:\(port)?ca_file=/nonexistent.pem"))
        }
        #expect(missing?.code == .connectFailed)
        await redis.stop()
    }

    @Test("nobody at the address is a failure that executed nothing") func nobody() async throws {
        let error = await #expect(throws: RedisError.self) { try await ping(RedisConfiguration(url: "redis://127.0.0.1:\(FreePort.choose())")) }
        #expect(error?.code == .connectFailed)
        #expect(error?.mayHaveExecuted == false)
    }
}
