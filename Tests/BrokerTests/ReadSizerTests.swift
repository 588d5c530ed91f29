import Testing

@testable import Broker

@Suite struct ReadSizerTests {
    @Test("it asks for fewer entries as soon as they are larger, and for more again slowly") func adapts() {
        var sizer = ReadSizer(bytesMax: 1000, firstMeanBytes: 10)
        #expect(sizer.count(atMost: 50) == 50)
        #expect(sizer.count(atMost: 500) == 100)
        sizer.took(entries: 2, bytes: 1000)
        #expect(sizer.count(atMost: 500) == 2)
        sizer.took(entries: 1, bytes: 1_000_000)
        #expect(sizer.count(atMost: 500) == 1)
        for _ in 0..<200 { sizer.took(entries: 1, bytes: 10) }
        #expect(sizer.count(atMost: 500) > 50)
        sizer.took(entries: 0, bytes: 0)
        #expect(sizer.count(atMost: 0) == 1)
    }
}
