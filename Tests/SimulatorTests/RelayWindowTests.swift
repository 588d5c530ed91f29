import Testing

@testable import Simulator

@Suite struct RelayWindowTests {
    /// Numbers 10, 12, 20, 21, 30 of which the first two are gone.
    private static func window() -> RelayWindow {
        var window = RelayWindow(entriesMax: 3, bytesMax: 1_000)
        for seq in [10, 12, 20, 21, 30] as [Int64] { window.append(seq: seq, .raw([1, 2, 3])) }
        return window
    }

    @Test(
        "a cursor opens at the right place",
        arguments: [
            (nil, false, 5, RelayWindow.Opening.State.live), (0, false, 2, .replay), (20, false, 3, .replay), (20, true, 2, .replay),
            (25, false, 4, .replay), (30, false, 5, .replay), (30, true, 4, .replay), (31, false, 5, .future), (12, false, 2, .replay),
            (12, true, 2, .outdated), (11, false, 2, .outdated), (13, true, 2, .replay),
        ] as [(Int64?, Bool, Int, RelayWindow.Opening.State)])
    func opening(cursor: Int64?, inclusive: Bool, place: Int, state: RelayWindow.Opening.State) {
        #expect(Self.window().opening(cursor: cursor, inclusive: inclusive) == RelayWindow.Opening(place: place, state: state))
    }

    @Test("bytes bound it as well as entries, and the newest always stays")
    func bounds() {
        var window = RelayWindow(entriesMax: 100, bytesMax: 10)
        for seq in 1...5 as ClosedRange<Int64> { window.append(seq: seq, .raw([UInt8](repeating: 0, count: 4))) }
        #expect(window.count == 2)
        #expect(window.bytes == 8)
        window.append(seq: 6, .raw([UInt8](repeating: 0, count: 50)))
        #expect(window.count == 1)
        #expect(window.oldestSeq == 6)
        #expect(window.bytes(from: 0) == 50)
    }
}
