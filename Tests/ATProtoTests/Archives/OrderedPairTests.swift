import TestSupport
import Testing

@testable import ATProto

@Suite("Ordered pairs")
struct OrderedPairTests {
    @Test("are sorted as the library sorts them, whatever they look like")
    func sorted() throws {
        let seed = TestSeed("ordered pairs")
        var random = seed.generator()
        let shapes: [(String, (inout TestSupport.SeededGenerator) -> OrderedPair)] = [
            ("random", { OrderedPair(.random(in: 0 ... .max, using: &$0), .random(in: 0 ... .max, using: &$0)) }),
            ("few", { OrderedPair(.random(in: 0...3, using: &$0), .random(in: 0...3, using: &$0)) }),
            ("equal first", { OrderedPair(7, .random(in: 0...100_000, using: &$0)) }),
            ("all equal", { _ in OrderedPair(7, 9) }),
            ("offsets", { OrderedPair(.random(in: 0..<1 << 28, using: &$0), .random(in: 0..<65_536, using: &$0)) }),
            ("ends of bytes", { OrderedPair(.random(in: 0...2, using: &$0) << 56, .random(in: 0...1, using: &$0) << 63) }),
        ]
        for (name, make) in shapes {
            for count in [0, 1, 2, 24, 25, 300, 20_000] {
                var pairs: [OrderedPair] = []
                for _ in 0..<count { pairs.append(make(&random)) }
                for order in [pairs, pairs.sorted { $0.precedes($1) }, pairs.sorted { $1.precedes($0) }] {
                    var own = order
                    OrderedPair.sort(&own)
                    try #require(own == pairs.sorted { $0.precedes($1) }, "\(name), \(count) of \(seed)")
                }
            }
        }
    }
}
