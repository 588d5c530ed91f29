import Testing

@testable import Flow

@Suite("Outlets while Redis fills")
struct OutletPressureTests {
    @Test("they shrink with each look at a full server, never to nothing, and grow again below the lower mark")
    func shrinks() {
        var pressure = OutletPressure()
        pressure.observed(0.69)
        #expect(pressure.keep(1_000) == 1_000)
        pressure.observed(0.70)
        #expect(pressure.keep(1_000) == 600)
        pressure.observed(0.60)
        #expect(pressure.keep(1_000) == 600, "between the marks nothing moves")
        for _ in 0..<50 { pressure.observed(0.99) }
        #expect(pressure.keep(1_000) == 5)
        #expect(pressure.keep(1) == 1)
        for _ in 0..<50 { pressure.observed(0.2) }
        #expect(pressure.keep(1_000) == 1_000)
    }

    @Test("without a limit memory is no matter")
    func unlimited() {
        var pressure = OutletPressure()
        pressure.observed(0.9)
        pressure.observed(nil)
        #expect(pressure.factor == 1)
    }
}
