import ArgumentParser
import Fleet
import Foundation
import Logging

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure this machine: frames on one core, and a whole fleet from socket to outlet.",
        discussion: """
            The fleet, its Redis, its Postgres and the simulator share this machine's cores, so its figure is what all of them do together, simulator
            included. Use a release build; a debug build says so.
            """)
    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Messages that go through the fleet; 0: only frames.", valueName: "number"))
    var messages = 20_000

    @Option(help: ArgumentHelp("How long each measurement of frames takes.", valueName: "seconds"))
    var seconds = 1.0

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (0...500_000).contains(messages) else { throw ValidationError("--messages: 0 to 500000 is allowed") }
        guard (0.05...60).contains(seconds) else { throw ValidationError("--seconds: 0.05 to 60 is allowed") }
    }

    func run() async throws {
        var changed = common
        changed.logLevel = common.logLevel ?? "error"
        let configuration = try changed.load()
        let metrics = Bootstrap.process(configuration)
        #if DEBUG
            Console.complain("weir: this is a debug build: its figures say little")
        #endif

        let progress = SharedProgress()
        let frames = try FrameBench { progress.show("making frames", $0, $1) }
        var results: [FrameBench.Result] = []
        for (index, name) in FrameBench.measurements.enumerated() {
            progress.show("measuring", index, FrameBench.measurements.count, note: name)
            results.append(try frames.measure(name, seconds: seconds))
        }
        progress.finish()
        var fleet: FleetBench.Result?
        if messages > 0 {
            let bench = FleetBench(configuration: configuration, messages: messages, metrics: metrics, log: Logger(label: "weir.bench"))
            fleet = try await bench.run(progress: progress)
            progress.finish()
        }
        if json { printJSON(frames, results, fleet) } else { printTable(frames, results, fleet) }
    }

    private func printTable(_ frames: FrameBench, _ results: [FrameBench.Result], _ fleet: FleetBench.Result?) {
        Console.print("#commit frames of \(frames.frameBytes) bytes, a repository of \(FrameBench.records) records, one core")
        var table = TextTable([.text(""), .number("frames/s"), .number("µs each")])
        for result in results {
            table.rows.append([result.name, "\(Int(result.perSecond))", "\((result.microseconds * 100).rounded() / 100)"])
        }
        for line in table.lines() { Console.print("  " + line) }
        guard let fleet else { return }
        let rate = Int(Double(fleet.messages) / fleet.seconds)
        let cores = ProcessInfo.processInfo.activeProcessorCount
        Console.print("socket to outlet, all on \(cores) cores: \(fleet.messages) messages in \(TimeText.short(.seconds(fleet.seconds)))")
        Console.print("  \(rate) messages/s, \(fleet.logged) events logged and published, \(fleet.refused) messages refused")
    }

    private func printJSON(_ frames: FrameBench, _ results: [FrameBench.Result], _ fleet: FleetBench.Result?) {
        var object: [String: Any] = ["frame_bytes": frames.frameBytes, "cores": ProcessInfo.processInfo.activeProcessorCount]
        object["frames_per_second"] = Dictionary(uniqueKeysWithValues: results.map { ($0.name, $0.perSecond.rounded()) })
        if let fleet {
            object["fleet"] = [
                "messages": Double(fleet.messages), "seconds": fleet.seconds,
                "messages_per_second": (Double(fleet.messages) / fleet.seconds).rounded(),
                "events_logged": Double(fleet.logged), "messages_refused": Double(fleet.refused),
            ]
        }
        let data = (try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])) ?? Data()
        Console.print(String(decoding: data, as: UTF8.self))
    }
}
