/// Which environment variables Weir answers for. One that begins with `WEIR_` and means nothing is a mistake that must be told.
enum EnvironmentNames {
    /// Read by the command line and by scripts, not by the table.
    private static let others: Set<String> = ["WEIR_CONFIG", "WEIR_DATA", "WEIR_CONFORMANCE", "WEIR_API_TOKEN", crashPoint]

    /// No key of the table: only whoever starts a process may tell it to die, not a file.
    static let crashPoint = "WEIR_CRASH_POINT"

    static func isOurs(_ name: String) -> Bool {
        name.hasPrefix("WEIR_") && !others.contains(name) && !name.hasPrefix("WEIR_TEST_") && !isServiceLink(name)
    }

    /// Kubernetes and old Docker links put variables such as `WEIR_API_SERVICE_HOST` and `WEIR_API_PORT_7480_TCP_ADDR` into every container,
    /// where a service is called `weir-api`: those are nobody's mistake.
    private static func isServiceLink(_ name: String) -> Bool {
        name.hasSuffix("_PORT") || name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.contains("_TCP") || name.contains("_UDP")
            || name.hasSuffix("_NAME") && name.contains("_ENV_")
    }
}
