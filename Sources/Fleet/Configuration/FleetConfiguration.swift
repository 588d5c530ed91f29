public import Events

/// What the fleet runs with: the checked configuration, in the types that the services take.
public struct FleetConfiguration: Sendable {
    /// Every key with its origin, for `weir config`.
    public private(set) var values: ConfigurationSet
    /// Where this process is to die or stop, for a test; nil in production.
    public private(set) var crashOrder: CrashOrder?

    /// - Throws: where values that are each allowed do not go together.
    public init(_ values: ConfigurationSet) throws(ConfigurationError) {
        self.values = values
        var problems: [ConfigurationProblem] = []
        if values.duration("lease.renewal") * 3 > values.duration("lease.ttl"), let entry = values["lease.renewal"] {
            problems.append(
                ConfigurationProblem(
                    key: entry.key.path, value: entry.text, origin: entry.origin,
                    message: "a third of lease.ttl (\(values["lease.ttl"]?.text ?? "")) at most is allowed: two renewals may be lost"))
        }
        problems += Self.repositoryProblems(values)
        problems += Self.retentionProblems(values)
        problems += Self.sinkProblems(values)
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// Reads the file (where one is given), this process' environment and flags.
    public static func load(file: (yaml: String, name: String)?, environment: [String: String], flags: [String]) throws(ConfigurationError) -> Self {
        var problems: [ConfigurationProblem] = []
        var order: CrashOrder?
        do throws(ConfigurationError) { order = try CrashArming.order(environment) } catch { problems += error.problems }
        do throws(ConfigurationError) {
            var configuration = try FleetConfiguration(
                ConfigurationSet(ConfigurationSet.Sources(file: file, environment: environment, flags: flags)))
            configuration.crashOrder = order
            if problems.isEmpty { return configuration }
        } catch {
            problems += error.problems
        }
        throw ConfigurationError(problems: problems)
    }

    /// Sets a key as the command decides, in place of every other source.
    public mutating func set(_ path: String, to text: String, by command: String) throws(ConfigurationError) {
        try values.set(path, to: text, by: command)
    }

    // Servers
    public var redisURL: String? { values.text("redis.url") }
    public var redisPrefix: String { values.text("redis.prefix") ?? "" }
    public var postgresURL: String? { values.text("postgres.url") }
    public var postgresSchema: String { values.text("postgres.schema") ?? "weir" }
    public var postgresConnections: Int { values.integer("postgres.connections") }
    public var shards: Int { values.integer("shards") }

    // Intake
    public var relayHosts: [String] { values.list("relay.hosts") }
    public var relayStart: String { values.text("relay.start") ?? "live" }
    public var relayReconnectMax: Duration { values.duration("relay.reconnect_max") }
    public var relayFutureCursor: String { values.text("relay.future_cursor") ?? "stop" }
    public var labelerHosts: [String] { values.list("labeler.hosts") }
    public var labelerDIDs: [String] { values.list("labeler.dids") }
    public var labelerStart: String { values.text("labeler.start") ?? "earliest" }
    public var labelerFutureCursor: String { values.text("labeler.future_cursor") ?? "earliest" }
    /// Whether there is a labeler to read.
    public var hasLabelers: Bool { !labelerHosts.isEmpty || !labelerDIDs.isEmpty }
    public var highWaterEntries: Int { values.integer("high_water.entries") }
    public var highWaterBytes: Int { values.integer("high_water.bytes") }
    public var highWaterMemoryPercent: Int { values.integer("high_water.memory_percent") }

    // Work
    public var leaseTTL: Duration { values.duration("lease.ttl") }
    public var leaseRenewal: Duration { values.duration("lease.renewal") }
    public var workerBatchEntries: Int { values.integer("worker.batch_entries") }
    public var workerBatchBytes: Int { values.integer("worker.batch_bytes") }
    public var predecessorWait: Duration { values.duration("worker.predecessor_wait") }
    public var identityWait: Duration { values.duration("worker.identity_wait") }
    public var streamTailEntries: Int { values.integer("stream.tail_entries") }
    public var identityLifetime: Duration { values.duration("identity.lifetime") }
    public var identityFetches: Int { values.integer("identity.fetches") }
    public var isStrict: Bool { values.text("mode") == "strict" }
    /// Without a slash at its end.
    public var plcURL: String {
        let url = values.text("plc.url") ?? ""
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }
    public var allowsPrivateHosts: Bool { values.flag("allow_private_hosts") }
    public var publisherBatchEvents: Int { values.integer("publisher.batch_events") }
    public var publisherPoll: Duration { values.duration("publisher.poll") }
    public var outletKeepEntries: Int { values.integer("outlet.keep_entries") }

    // Serving
    public var apiBind: BindAddress { values.address("api.bind") }
    public var apiAllowsWrites: Bool { values.flag("api.allow_writes") }
    public var apiHeartbeat: Duration { values.duration("api.heartbeat") }
    public var apiClientBuffer: Int { values.integer("api.client_buffer") }
    public var apiClients: Int { values.integer("api.clients") }
    public var readyStallAfter: Duration { values.duration("ready.stall_after") }
    public var operationsBind: BindAddress { values.address("operations.bind") }

    // Process
    public var logLevel: String { values.text("log.level") ?? "info" }
    public var logFormat: LogFormat { values.text("log.format").flatMap { LogFormat(rawValue: $0) } ?? .text }
    public var shutdownGrace: Duration { values.duration("shutdown.grace") }

    // Simulation
    public var simulatorBind: BindAddress { values.address("simulator.bind") }
    public var simulatorSeed: Int { values.integer("simulator.seed") }
    public var simulatorAccounts: Int { values.integer("simulator.accounts") }
    public var simulatorRepositoryHosts: Int { values.integer("simulator.repository_hosts") }
    public var simulatorInitialRecords: Int { values.integer("simulator.initial_records") }
    public var simulatorHugeRepositories: Int { values.integer("simulator.huge_repositories") }
    public var simulatorHugeBytes: Int { values.integer("simulator.huge_bytes") }
    public var simulatorLabelers: Int { values.integer("simulator.labelers") }
    public var simulatorLabelRate: Int { values.integer("simulator.label_rate") }
    public var simulatorRate: Int { values.integer("simulator.rate") }
    public var simulatorAdvertisedHost: String? { values.text("simulator.advertised_host") }
    public var simulatorRelays: Int { values.integer("simulator.relays") }
    public var simulatorPrebuild: Int { values.integer("simulator.prebuild") }
    public var simulatorRecord: String? { values.text("simulator.record") }
}

extension FleetConfiguration {
    /// What is wrong with a key, found when its value was used.
    func problem(_ path: String, _ message: String) -> ConfigurationProblem {
        let entry = values[path]
        let text = entry.map { $0.key.shown($0.text) } ?? ""
        return ConfigurationProblem(key: path, value: text, origin: entry?.origin ?? .standard, message: message)
    }
}
