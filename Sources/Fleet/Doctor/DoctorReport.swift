import Events

/// Findings as a person reads them, and as a script does.
public struct DoctorReport: Sendable {
    public let findings: [DoctorFinding]

    public init(_ findings: [DoctorFinding]) { self.findings = findings }

    /// Nothing that has to be mended: notes are no reason.
    public var isWell: Bool { findings.allSatisfy { $0.severity == .note } }

    public func lines() -> [String] {
        guard !findings.isEmpty else { return ["all is well"] }
        var lines: [String] = []
        for finding in findings {
            lines.append("\(finding.severity.rawValue): \(finding.entity): \(finding.cause) [\(finding.code.rawValue)]")
            let evidence = finding.evidence.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            if !evidence.isEmpty { lines.append("  seen: \(evidence.joined(separator: " "))") }
            lines.append("  next: \(finding.next)")
        }
        if isWell { lines.append("nothing has to be mended") }
        return lines
    }

    /// `{"well":…,"findings":[{"code":…,"severity":…,"entity":…,"cause":…,"evidence":{…},"next":…}]}`.
    public func json() -> String {
        var json = JSONWriter()
        json.beginObject()
        json.member("well", isWell)
        json.key("findings")
        json.beginArray()
        for finding in findings {
            json.beginObject()
            json.member("code", finding.code.rawValue)
            json.member("severity", finding.severity.rawValue)
            json.member("entity", finding.entity)
            json.member("cause", finding.cause)
            json.key("evidence")
            json.beginObject()
            for (name, value) in finding.evidence.sorted(by: { $0.key < $1.key }) {
                json.key(dynamic: name)
                json.value(value)
            }
            json.endObject()
            json.member("next", finding.next)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return String(decoding: json.take(), as: UTF8.self)
    }
}
