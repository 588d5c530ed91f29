public import Events

/// Raw fields of any stream entry, for inspection.
public struct StreamEntry: Sendable {
    public var id: EntryID
    public var fields: [(name: String, value: [UInt8])]
    public init(id: EntryID, fields: [(name: String, value: [UInt8])]) {
        self.id = id
        self.fields = fields
    }
}
