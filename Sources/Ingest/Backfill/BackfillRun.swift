import Events

/// The runs that tell how enumerations go: `backfill/<host>`, and from the second pass on `backfill/<host>/<pass>`.
enum BackfillRun {
    static let kind = "backfill"

    /// Without the brackets of an IPv6 address, which a run's id may not have. Nil where the host is too long for one.
    static func id(host: String, pass: Int) -> RunID? {
        let name = host.filter { $0 != "[" && $0 != "]" }
        return pass <= 1 ? RunID.backfill(host: name) : RunID.backfill(host: "\(name)/\(pass)")
    }
}
