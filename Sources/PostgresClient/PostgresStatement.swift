/// One statement of a pipeline, with its parameters.
public struct PostgresStatement: Hashable, Sendable {
    public var sql: String
    public var parameters: [PostgresParameter]

    public init(_ sql: String, _ parameters: [PostgresParameter] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}
