import TestSupport
import Testing

@testable import PostgresClient

@Suite(.timeLimit(.minutes(10))) struct TLSTests {
    @Test func `large answers arrive whole over TLS, and a server of another authority is refused`() async throws {
        let certificate = try await TestCertificate.make(user: ServerUser("postgres", "nobody"))
        let stranger = try await TestCertificate.make()
        let server = try await PrivatePostgres.start(settings: [
            "ssl": "on", "ssl_cert_file": certificate.certificatePath, "ssl_key_file": certificate.keyPath,
        ])
        let url = "postgres://weir@localhost:\(server.port)/weir?sslmode=verify-full&hostaddr=127.0.0.1&sslrootcert="
        let connection = try await PostgresConnection.connect(try PostgresConfiguration(url: url + certificate.authorityPath))
        let rows = try await connection.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        #expect(try rows[0].value(0) == true)
        // Around the size of a TLS record and of libpq's buffers, where a record's rest stays in libssl.
        for size in [1, 8_000, 16_380, 16_384, 16_400, 40_000, 3_000_000] as [Int64] {
            let rows = try await connection.query(
                "SELECT length($1) = $2, repeat('x', $2::int4)", [.bytea([UInt8](repeating: 1, count: Int(size))), .int64(size)])
            #expect(try rows[0].value(0) == true)
            #expect(try rows[0].value(1, as: String.self).utf8.count == Int(size))
        }
        let error = await failure { _ = try await PostgresConnection.connect(try PostgresConfiguration(url: url + stranger.authorityPath)) }
        #expect(error?.code == .connectionFailure)
        #expect(error?.message.contains("certificate") == true)
        await connection.close()
        await server.stop()
    }
}
