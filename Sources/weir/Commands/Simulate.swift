import ArgumentParser
import Fleet
import Logging
import Simulator

struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a simulated AT Protocol network.",
        discussion: """
            Relays, a DID directory, repository hosts, labelers and controls (POST /sim/faults, /sim/rate; GET /sim/status, /sim/repositories,
            /sim/labels), on the ports from simulator.bind on. The same simulator.seed makes the same events.
            """)
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let configuration = try common.load()
        let metrics = Bootstrap.process(configuration)
        let log = Logger(label: "weir.simulator")
        let simulator = try await SimulatorBuild.prepare(configuration, log: log)
        let operations = try Simulation.operations(configuration, metrics: metrics, log: log)
        try await FleetProcess.run([operations, simulator], configuration, log: log)
    }
}

/// Builds the network while a person sees how far it is.
enum SimulatorBuild {
    static func prepare(_ configuration: FleetConfiguration, log: Logger) async throws -> SimulatorService {
        let progress = SharedProgress()
        do {
            let service = try await Simulation.prepare(configuration, log: log) { phase, done, total in
                progress.show(phase == .accounts ? "building the network" : "making events", done, total)
            }
            progress.finish()
            return service
        } catch let error as SimulatorError {
            throw Failure("the simulator does not start: \(error)")
        }
    }
}
