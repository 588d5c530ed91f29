import Events
import Foundation
import Glibc
public import Logging

/// Writes one line an event to standard error, in one system call, so that lines of several processes never mix.
public struct LineLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let write: @Sendable (String) -> Void

    public init(label: String, level: Logger.Level, format: LogFormat, write: @escaping @Sendable (String) -> Void = LineLogHandler.toStandardError) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.write = write
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: Logging.LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
        let time = Self.timestamp()
        switch format {
        case .text: write(Self.textLine(time: time, label: label, event: event, metadata: all))
        case .json: write(Self.jsonLine(time: time, label: label, event: event, metadata: all))
        }
    }

    static func textLine(time: String, label: String, event: Logging.LogEvent, metadata: Logger.Metadata) -> String {
        var line = "\(time) \(event.level.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)) \(label): "
        appendPlain("\(event.message)", to: &line)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(key)="
            let text = "\(value)"
            let isQuoted = text.isEmpty || text.utf8.contains { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "=") }
            if isQuoted { line += "\"" }
            appendPlain(text, isQuoted: isQuoted, to: &line)
            if isQuoted { line += "\"" }
        }
        return line + "\n"
    }

    static func jsonLine(time: String, label: String, event: Logging.LogEvent, metadata: Logger.Metadata) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("time", time)
        writer.member("level", event.level.rawValue)
        writer.member("logger", label)
        writer.member("message", "\(event.message)")
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            // A key of ours that metadata takes too would stand there twice, which readers of JSON treat each in their own way.
            writer.key(dynamic: ["time", "level", "logger", "message"].contains(key) ? key + "_" : key)
            writer.value("\(value)")
        }
        writer.endObject()
        return String(decoding: writer.take(), as: UTF8.self) + "\n"
    }

    /// Text from upstreams ends up here: a line break or an escape in it must not make a line of its own, or paint a terminal, and a quotation
    /// mark must not end what is quoted, whatever marks combine with it.
    private static func appendPlain(_ text: String, isQuoted: Bool = false, to line: inout String) {
        for scalar in text.unicodeScalars {
            if isQuoted, scalar == "\"" { line += "\\" }
            if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                line += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
    }

    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let milliseconds = "\(1000 + now.tv_nsec / 1_000_000)".dropFirst()
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(milliseconds)Z"
    }

    /// A closed or full standard error must not stop the work: what cannot be written is lost.
    public static func toStandardError(_ line: String) {
        var bytes = Array(line.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
