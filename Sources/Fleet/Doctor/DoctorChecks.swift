import Broker
import Events
import Ledger

/// The doctor's checks: each from a snapshot to findings. Without I/O.
public struct DoctorChecks: Sendable {
    let limits: DoctorLimits

    public init(limits: DoctorLimits = DoctorLimits()) { self.limits = limits }

    /// All checks, the gravest findings first.
    public func findings(_ snapshot: DoctorSnapshot) -> [DoctorFinding] {
        var found = servers(snapshot)
        if let redis = snapshot.redis { found += broker(redis) }
        if let fleet = snapshot.fleet { found += leases(fleet) + shards(fleet) + upstreams(fleet) }
        if let diagnosis = snapshot.diagnosis {
            found += outbox(diagnosis.outbox) + stalled(diagnosis.stalled) + sessions(diagnosis.sessions) + schema(diagnosis)
            found += slots(diagnosis.slots) + clients(diagnosis.flapping)
            found += sinks(diagnosis.sinks, workers: Set(snapshot.fleet?.workers ?? [])) + letters(diagnosis.letters)
            if let run = snapshot.run { found += self.run(run, diagnosis.run, outletTop: snapshot.redis?.outletTop) }
        }
        // Stable: of one severity in the order of the checks; a run that was asked for may have been found by the general look too.
        var seen: Set<DoctorFinding> = []
        let once = found.filter { seen.insert($0).inserted }
        return DoctorFinding.Severity.allCases.reversed().flatMap { severity in once.filter { $0.severity == severity } }
    }

    func servers(_ snapshot: DoctorSnapshot) -> [DoctorFinding] {
        var found: [DoctorFinding] = []
        if let error = snapshot.ledgerError {
            let isOld = error.code == .notMigrated
            found.append(
                DoctorFinding(
                    isOld ? .notMigrated : .ledgerUnavailable, .critical, "ledger",
                    cause: isOld ? "the schema is missing, or of another version than this program" : "Postgres does not answer",
                    evidence: ["error": error.message],
                    next: isOld ? "weir migrate" : "look at Postgres and at postgres.url: nothing works without it"))
        }
        if let error = snapshot.redisError {
            found.append(
                DoctorFinding(
                    .redisUnavailable, .critical, "redis", cause: "Redis does not answer: ingest stands, clients read from Postgres",
                    evidence: ["error": error], next: "look at Redis and at redis.url; nothing is lost while it is away"))
        }
        return found
    }

    func broker(_ redis: BrokerHealth) -> [DoctorFinding] {
        var found: [DoctorFinding] = []
        let memory = ["used_memory_bytes": "\(redis.usedMemory)", "max_memory_bytes": "\(redis.maxMemory)", "maxmemory_policy": redis.policy]
        if redis.maxMemory == 0 {
            found.append(
                DoctorFinding(
                    .redisUnbounded, .warning, "redis",
                    cause: "maxmemory is not set: Redis takes what the machine has, and ingesters do not pause in time",
                    evidence: memory, next: "redis-cli CONFIG SET maxmemory 2gb   (what the machine can spare)"))
        } else if redis.usedMemory >= redis.maxMemory / 100 * limits.redisMemoryPercent {
            found.append(
                DoctorFinding(
                    .redisMemory, .critical, "redis", cause: "Redis is full: ingesters pause until workers have taken what waits",
                    evidence: memory, next: "ops/runbooks/full-redis.md"))
        }
        if redis.policy != "noeviction" {
            found.append(
                DoctorFinding(
                    .redisEvicts, .critical, "redis", cause: "Redis may throw away what Weir has written, by its maxmemory-policy", evidence: memory,
                    next: "redis-cli CONFIG SET maxmemory-policy noeviction"))
        }
        if let major = redis.version.split(separator: ".").first.flatMap({ Int($0) }), major < 7 {
            found.append(
                DoctorFinding(
                    .redisVersion, .critical, "redis", cause: "Redis is older than Weir needs", evidence: ["redis_version": redis.version],
                    next: "use Redis 7.0 or newer"))
        }
        if !redis.isAppendOnly {
            found.append(
                DoctorFinding(
                    .redisNotDurable, .note, "redis",
                    cause: "Redis writes no append-only file: after a restart everything in it is read again from upstreams",
                    evidence: ["aof_enabled": "0"], next: "redis-cli CONFIG SET appendonly yes"))
        }
        return found
    }

    func leases(_ fleet: FleetStatus) -> [DoctorFinding] {
        guard fleet.workers.isEmpty else { return [] }
        return [
            DoctorFinding(
                .noWorkers, .critical, "fleet", cause: "no worker has a fresh heartbeat: nothing is logged or published",
                next: "start one: weir worker; where one runs, look at its log")
        ]
    }

    func shards(_ fleet: FleetStatus) -> [DoctorFinding] {
        var found: [DoctorFinding] = []
        let streaming = fleet.upstreams.contains {
            $0.name.kind == .firehose && $0.report?.state == .streaming && ($0.reportAgeMs ?? .max) < limits.stalledAfterMs
        }
        for shard in fleet.shards {
            let entity = "shard \(shard.shard)"
            let evidence = [
                "owner": shard.owner ?? "none", "lease_ms_left": "\(shard.leaseMsLeft)", "offset": shard.offset.description,
                "last_commit_age_ms": shard.lastCommitAgeMs.map(String.init) ?? "never",
            ]
            if let reason = shard.haltedReason {
                found.append(
                    DoctorFinding(
                        .shardHalted, .critical, entity, cause: "the shard stopped by itself: an impossible state of Weir's own",
                        evidence: evidence.merging(["reason": reason]) { $1 }, next: "ops/runbooks/lost-shard.md"))
            } else if (shard.owner == nil || shard.leaseMsLeft <= 0), !fleet.workers.isEmpty {
                found.append(
                    DoctorFinding(
                        .shardUnowned, .critical, entity, cause: "no worker has a fresh lease on it", evidence: evidence,
                        next: "ops/runbooks/lost-shard.md"))
            } else if streaming, (shard.lastCommitAgeMs ?? .max) > limits.stalledAfterMs {
                found.append(
                    DoctorFinding(
                        .shardStalled, .warning, entity, cause: "it has an owner and commits nothing, while relays send barriers each second",
                        evidence: evidence, next: "ops/runbooks/lost-shard.md"))
            }
        }
        return found
    }

    func upstreams(_ fleet: FleetStatus) -> [DoctorFinding] {
        var found: [DoctorFinding] = []
        for upstream in fleet.upstreams where upstream.name.kind != .backfill {
            let entity = upstream.name.description
            var evidence = ["owner": upstream.owner ?? "none", "lease_ms_left": "\(upstream.leaseMsLeft)"]
            if let report = upstream.report { evidence["state"] = report.state.rawValue }
            if let age = upstream.reportAgeMs { evidence["report_age_ms"] = "\(age)" }
            if let watermark = upstream.watermark { evidence["watermark"] = watermark.description }
            if upstream.owner == nil || upstream.leaseMsLeft <= 0 {
                found.append(
                    DoctorFinding(
                        .upstreamUnowned, .critical, entity, cause: "no ingester has a fresh lease on it", evidence: evidence,
                        next: "start one: weir ingest \(upstream.name.kind == .labeler ? "labeler" : "firehose")"))
            } else if let report = upstream.report, report.state == .backingOff || report.state == .stopped {
                found.append(
                    DoctorFinding(
                        .upstreamDown, report.state == .stopped ? .critical : .warning, entity,
                        cause: report.reason.isEmpty ? "its ingester cannot read it" : report.reason, evidence: evidence,
                        next: report.state == .stopped
                            ? "an operator decides: relay.future_cursor or labeler.future_cursor" : "it is tried again by itself; look at the host"))
            } else if (upstream.reportAgeMs ?? .max) > limits.stalledAfterMs {
                found.append(
                    DoctorFinding(
                        .upstreamSilent, .warning, entity, cause: "its owner renews its lease and reports nothing", evidence: evidence,
                        next: "look at the log of \(upstream.owner ?? "its owner"), restart it"))
            }
            if upstream.rewindPending {
                found.append(
                    DoctorFinding(
                        .rewindPending, .note, entity, cause: "a worker found a hole and asked for a rewind", evidence: evidence,
                        next: "nothing, unless it stays: its owner honours it at its next renewal"))
            }
            if upstream.declaredGaps > 0 {
                found.append(
                    DoctorFinding(
                        .declaredGaps, .note, entity, cause: "the upstream itself no longer had what was asked for",
                        evidence: ["declared_gaps": "\(upstream.declaredGaps)"], next: "weir repos resync, for what must be whole"))
            }
        }
        return found
    }
}
