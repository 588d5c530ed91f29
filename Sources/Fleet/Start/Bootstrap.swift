import Glibc
import Logging
import Metrics
public import Serve

/// What a process sets up once, before anything else.
public enum Bootstrap {
    /// Logging as configured, metrics kept for `/metrics`, no death by writing to a socket that was closed, and few arenas of memory.
    ///
    /// Call it once in a process: swift-log and swift-metrics take one backend each.
    /// - Returns: what the process measures, for the services that show it.
    public static func process(_ configuration: FleetConfiguration) -> PrometheusMetrics {
        ProcessMemory.boundArenas()
        signal(SIGPIPE, SIG_IGN)
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        let format = configuration.logFormat
        LoggingSystem.bootstrap { label in LineLogHandler(label: label, level: level, format: format) }
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }
}
