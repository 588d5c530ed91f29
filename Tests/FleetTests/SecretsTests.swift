import Testing

@testable import Fleet

@Suite struct SecretsTests {
    @Test(
        "passwords are hidden, everything else stays readable",
        arguments: [
            ("redis://user:secret@host:6379/1", "redis://user:•••@host:6379/1"), ("rediss://:p@ss@host", "rediss://:•••@host"),
            ("postgres://weir@127.0.0.1/weir", "postgres://weir@127.0.0.1/weir"),
            ("postgres:///weir?user=a&password=b&x=1", "postgres:///weir?user=a&password=•••&x=1"),
            ("hunter2", "•••"), ("", ""),
        ])
    func masked(text: String, expected: String) { #expect(Secrets.masked(text) == expected) }
}
