import Events
import Testing

@Suite struct CrashOrderTests {
    @Test(
        "a point, an action and a count are read; what is left out is a kill at the first time",
        arguments: [
            ("work.mid-copy", CrashOrder(.workMidCopy, .kill, count: 1)), ("work.mid-copy:stop", CrashOrder(.workMidCopy, .stop, count: 1)),
            ("serve.mid-stream:7", CrashOrder(.serveMidStream, .kill, count: 7)),
            ("ingest.after-append:stop:3", CrashOrder(.ingestAfterAppend, .stop, count: 3)),
        ])
    func read(_ text: String, _ order: CrashOrder) throws {
        #expect(try CrashOrder(text) == order)
        #expect(try CrashOrder("\(order)") == order)
    }

    @Test(
        "what is no order is refused",
        arguments: ["", "work", "work.mid-copy:", "work.mid-copy:0", "work.mid-copy:halt", "work.mid-copy:stop:3:4", "work.mid-copy:3:stop"])
    func refuse(_ text: String) {
        #expect(throws: CrashOrder.NotAnOrder.self) { try CrashOrder(text) }
    }

    @Test("the refusal of an unknown point names every point there is")
    func unknown() {
        let error = #expect(throws: CrashOrder.NotAnOrder.self) { try CrashOrder("work.before-comit") }
        for point in CrashPoint.allCases { #expect(error?.message.contains(point.rawValue) == true) }
    }
}
