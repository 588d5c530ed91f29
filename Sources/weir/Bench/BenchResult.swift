/// What a whole run of the bench gave: rows in the order of the parts, and the parts that could not be measured.
struct BenchResult: Sendable {
    struct Broken: Sendable, Codable {
        var part: String
        var error: String
    }

    var machine: BenchMachine
    var isFull: Bool
    var rows: [(part: String, row: BenchRow)] = []
    var broken: [Broken] = []

    var isReached: Bool { broken.isEmpty && rows.allSatisfy(\.row.isReached) }
}
