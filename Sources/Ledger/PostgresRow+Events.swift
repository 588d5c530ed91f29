internal import Events
internal import PostgresClient

extension PostgresTimestamp {
    init(_ time: WallTime) { self.init(microsecondsSince1970: time.microseconds) }
}

extension WallTime {
    init(_ time: PostgresTimestamp) { self.init(microseconds: time.microsecondsSince1970) }
}

extension PostgresRow {
    func time(_ column: String) throws -> WallTime { WallTime(try value(column, as: PostgresTimestamp.self)) }

    func optionalTime(_ column: String) throws -> WallTime? { try optional(column, as: PostgresTimestamp.self).map(WallTime.init) }

    /// A run's id; throws `corrupt` where it is none.
    func run(_ column: String) throws -> RunID {
        let text: String = try value(column)
        guard let id = RunID(text) else { throw LedgerError(code: .corrupt, message: "\(text) is no run id", place: "column \(column)") }
        return id
    }

    func upstream() throws -> UpstreamName {
        UpstreamName(kind: try known("kind"), host: try value("host"))
    }

    /// A text that must be one of ours: another one was written by no program of this version.
    func known<Value: RawRepresentable<String>>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        let text: String = try value(column)
        guard let value = Value(rawValue: text) else {
            throw LedgerError(code: .corrupt, message: "\"\(text)\" is no \(Value.self)", place: "column \(column)")
        }
        return value
    }

    /// A position of two columns, nil where either is null.
    func position(_ epoch: String, _ seq: String) throws -> Position? {
        guard let epoch = try optional(epoch, as: Int32.self), let seq = try optional(seq, as: Int64.self) else { return nil }
        return Position(epoch: epoch, seq: seq)
    }
}

extension String {
    /// Postgres' `text` cannot hold U+0000, which strangers may send: it becomes U+FFFD.
    var storable: String {
        utf8.withContiguousStorageIfAvailable({ $0.contains(0) }) ?? utf8.contains(0)
            ? String(String.UnicodeScalarView(unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 })) : self
    }
}
