import RedisClient
import Testing

@Suite struct RedisConfigurationTests {
    @Test(
        "a URL gives address, user and database",
        arguments: [
            ("redis://localhost", "redis://localhost:6379", nil, nil),
            ("redis://", "redis://127.0.0.1:6379", nil, nil),
            ("redis://:secret@h:1/3", "redis://h:1?db=3", nil, "secret"),
            ("rediss://u:p%40%2F%25@h", "rediss://u@h:6379", "u", "p@/%"),
            ("redis://u:a:b@[::1]:7", "redis://u@[::1]:7", "u", "a:b"),
            ("redis+unix:///run/r%20s.sock?db=2", "redis+unix:///run/r s.sock?db=2", nil, nil),
            ("unix://u:p@/run/r.sock", "redis+unix://u@/run/r.sock", "u", "p"),
        ] as [(String, String, String?, String?)])
    func reads(url: String, shown: String, user: String?, password: String?) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.description == shown)
        #expect(configuration.username == user)
        #expect(configuration.password == password)
    }

    @Test("options behind the question mark are read") func readsOptions() throws {
        let configuration = try RedisConfiguration(
            url: "rediss://h/1?connections=4&timeout_ms=1500&connect_timeout_ms=20&ca_file=/etc/ca%2Epem&client_name=a%20b")
        #expect(configuration.connectionCount == 4)
        #expect(configuration.commandTimeout == .milliseconds(1500))
        #expect(configuration.connectTimeout == .milliseconds(20))
        #expect(configuration.tls == .verified(authoritiesPath: "/etc/ca.pem"))
        #expect(configuration.clientName == "a b")
        #expect(try RedisConfiguration(url: "rediss://h?insecure=true&ca_file=/x").tls == .unverified)
    }

    @Test(
        "a wrong URL is refused and its password is not repeated",
        arguments: [
            "localhost:6379", "http://u:hunter2@h", "redis://u:hunter2@h:0", "redis://u:hunter2@h:99999", "redis://u:hunter2@h:6379/x",
            "redis://u:hunter2@h?colour=1", "redis://hunter2@h", "redis://u:hunter2%zz@h", "redis://u:hunter2@h/-1", "redis://h?ca_file=/x",
            "redis+unix://u:hunter2@host/path", "redis+unix://", "redis://u:hunter2@[::1", "redis://u:hunter2#x@h", "redis://u:@h",
        ])
    func refuses(url: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test("no way to print a configuration shows the password") func hidesPassword() throws {
        let configuration = try RedisConfiguration(url: "redis://u:hunter2@h")
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!(dumped + "\(configuration)" + String(reflecting: configuration)).contains("hunter2"))
    }
}
