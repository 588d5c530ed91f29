/// How log lines look.
public enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// `2026-01-31T12:00:00.000Z info  weir.work: message key=value`, for people.
    case text
    /// One JSON object a line: `time`, `level`, `logger`, `message`, then the metadata by its own keys.
    case json
}
