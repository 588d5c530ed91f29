import ATProto
import Events
import Fleet
import Simulator

/// The simulated network of a part, in this process. Its frames are like live ones: 5.3 KB on average, about four fifths of it blocks of trees.
enum BenchNetwork {
    /// One relay, with everything made and signed before it opens; it stands still until a rate is set.
    static func prepare(
        messages: Int, _ context: BenchContext, onSent: (@Sendable (_ did: String, _ rev: String) -> Void)? = nil
    ) async throws -> SimulatorService {
        let configuration = SimulatorConfiguration(
            seed: UInt64(context.configuration.simulatorSeed), accounts: context.configuration.simulatorAccounts, rate: .paused, prebuild: messages,
            relays: [RelayConfiguration(name: "relay-1")])
        let progress = context.progress
        return try await SimulatorService.prepare(configuration: configuration, logger: context.log, onSent: onSent) { phase, done, total in
            progress.show(phase == .accounts ? "building the network" : "making messages", done, total)
        }
    }

    /// The configuration of a fleet that reads that network from its first message on, and everything else as it is.
    static func configuration(_ base: FleetConfiguration, relayURL: String, directoryURL: String) throws -> FleetConfiguration {
        var configuration = base
        for (key, value) in [
            ("relay.hosts", relayURL), ("relay.start", "earliest"), ("plc.url", directoryURL),
            ("operations.bind", "127.0.0.1:0"),
        ] { try configuration.set(key, to: value, by: "weir bench") }
        return configuration
    }

    /// Commits that one core verifies in full each second: signature, content hashes, inversion of the tree; the network's own commits.
    static func verificationRate(_ simulator: SimulatorService, seconds: Double) async throws -> Double {
        var frames: [(frame: [UInt8], key: VerificationKey)] = []
        for commit in await simulator.prebuiltCommits(1000) { frames.append((commit.frame, try VerificationKey(multikey: commit.multikey))) }
        guard !frames.isEmpty else { throw Failure("the network made no commits") }
        let now = WallTime(microseconds: 4_000_000_000_000_000)
        let clock = ContinuousClock()
        let begun = clock.now
        var done = 0
        repeat {
            for (frame, key) in frames {
                guard case .verified = CommitVerifier.verify(frame, key: key, now: now) else { throw Failure("a commit of the network is refused") }
            }
            done += frames.count
            try Task.checkCancellation()
        } while clock.now - begun < .seconds(seconds)
        return Double(done) / ((clock.now - begun) / .seconds(1))
    }
}
