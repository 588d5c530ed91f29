import Events
import Foundation
import Testing

@testable import Fleet

@Suite struct CrashArmingTests {
    @Test("the variable arms a point; without it none is armed")
    func armed() throws {
        let armed = try FleetConfiguration.load(file: nil, environment: ["WEIR_CRASH_POINT": "work.before-commit:stop:3"], flags: [])
        #expect(armed.crashOrder == CrashOrder(.workBeforeCommit, .stop, count: 3))
        #expect(try FleetConfiguration.load(file: nil, environment: [:], flags: []).crashOrder == nil)
        #expect(try FleetConfiguration.load(file: nil, environment: ["WEIR_CRASH_POINT": ""], flags: []).crashOrder == nil)
    }

    @Test("an unknown point is told together with every other mistake, and with the points that there are")
    func unknown() {
        let error = #expect(throws: ConfigurationError.self) {
            try FleetConfiguration.load(file: nil, environment: ["WEIR_CRASH_POINT": "work.before-comit", "WEIR_SHARD": "3"], flags: [])
        }
        #expect(error?.problems.count == 2)
        let text = error?.description ?? ""
        #expect(text.contains("WEIR_CRASH_POINT = \"work.before-comit\" (variable WEIR_CRASH_POINT)"), "\(text)")
        for point in CrashPoint.allCases { #expect(text.contains(point.rawValue)) }
    }

    @Test("no file can arm a point")
    func file() {
        #expect(throws: ConfigurationError.self) {
            try FleetConfiguration.load(file: ("crash_point: work.before-commit\n", "weir.yaml"), environment: [:], flags: [])
        }
    }

    @Test("the page about tests has a row for every point, and for nothing else")
    func page() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("Sources/Fleet/Fleet.docc/Testing.md"), encoding: .utf8)
        // Other parts of the page have tables of their own.
        let part = page.components(separatedBy: "\n## ").first { $0.hasPrefix("Crash points\n") } ?? ""
        let rows = part.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { String($0.split(separator: "`")[1]) }
        #expect(rows == CrashPoint.allCases.map(\.rawValue))
    }
}
