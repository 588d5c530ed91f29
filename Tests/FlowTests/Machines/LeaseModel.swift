import Events

@testable import Flow

/// Several processes that share shards under leases, with clocks of their own, stalls, crashes, slow calls and lost answers.
///
/// The ledger's side is what its SQL says: a shard is given to whoever asks where nobody's lease is fresh by the server's clock; a renewal needs the token.
/// The processes use the real ``LeaseClock`` and ``FairShare``. Times are milliseconds of one true clock that nobody in the model reads.
struct LeaseModel {
    enum Event {
        case pass(Int)
        /// A round of a process begins: it asks the ledger; the answer takes its time, or never comes.
        case round(Int)
        /// The call of a process reaches the ledger; then its answer reaches the process.
        case serve(Int), answer(Int), loseAnswer(Int)
        case stall(Int, Int), crash(Int), start(Int)
    }

    struct Setting {
        var shards: Int
        var processes: Int
        /// What each process' clock counts while 1,000 true milliseconds pass.
        var rates: [Int]
    }

    private struct Row {
        var owner: Int?
        var token = 0
        var expiresAt = 0
    }

    private struct Call {
        var startedAt: MonotonicTime
        var plan: FairShare.Plan
        var renewed: [Shard: Int]
        /// What the ledger said; nil until it was asked.
        var answer: (owned: [Shard: Int], at: Int)?
    }

    private struct Process {
        var isUp = false
        var stalledUntil = 0
        /// By shard: token and trust.
        var owned: [Shard: (token: Int, clock: LeaseClock)] = [:]
        var call: Call?
        var heartbeatUntil = 0
    }

    static let timeToLive = 5_000
    static let margin = 500

    let setting: Setting
    let fair: FairShare
    private var rows: [Row]
    private var processes: [Process]
    private var now = 0
    private(set) var problem: String?
    /// How often a shard changed its owner.
    private(set) var moves = 0

    init(_ setting: Setting) {
        self.setting = setting
        fair = FairShare(shards: setting.shards)
        rows = Array(repeating: Row(), count: setting.shards)
        processes = Array(repeating: Process(), count: setting.processes)
        processes[0].isUp = true
    }

    /// A process' own clock: it started somewhere else, and runs at its own speed.
    private func local(_ process: Int) -> MonotonicTime {
        MonotonicTime(sinceStart: .milliseconds(process * 77_777) + .microseconds(now * setting.rates[process]))
    }

    mutating func perform(_ event: Event) {
        switch event {
        case .pass(let milliseconds):
            // In small steps: trust is looked at on the way.
            for _ in 0..<max(1, milliseconds / 50) where problem == nil {
                now += min(50, milliseconds)
                check()
            }
        case .round(let p): begin(p)
        case .serve(let p): serve(p)
        case .answer(let p): answer(p)
        case .loseAnswer(let p): processes[p].call = nil
        case .stall(let p, let milliseconds): processes[p].stalledUntil = max(processes[p].stalledUntil, now + milliseconds)
        case .crash(let p): processes[p] = Process(stalledUntil: now)
        case .start(let p): processes[p].isUp = true
        }
        check()
    }

    private func acts(_ p: Int) -> Bool { processes[p].isUp && processes[p].stalledUntil <= now }

    private mutating func begin(_ p: Int) {
        guard acts(p), processes[p].call == nil else { return }
        for (shard, lease) in processes[p].owned where !lease.clock.isTrusted(at: local(p)) { processes[p].owned[shard] = nil }
        processes[p].heartbeatUntil = now + Self.timeToLive
        let live = processes.filter { $0.heartbeatUntil > now }.count
        let free = Set(rows.indices.filter { rows[$0].owner == nil || rows[$0].expiresAt <= now })
        let plan = fair.plan(me: WorkerID("worker-\(p)"), workers: live, owned: Set(processes[p].owned.keys), free: free)
        for shard in plan.giveBack {
            if rows[shard].token == processes[p].owned[shard]?.token { rows[shard].owner = nil }
            processes[p].owned[shard] = nil
        }
        processes[p].call = Call(startedAt: local(p), plan: plan, renewed: processes[p].owned.mapValues(\.token))
    }

    private mutating func serve(_ p: Int) {
        guard var call = processes[p].call, call.answer == nil else { return }
        var owned: [Shard: Int] = [:]
        for (shard, token) in call.renewed where rows[shard].owner == p && rows[shard].token == token {
            rows[shard].expiresAt = now + Self.timeToLive
            owned[shard] = token
        }
        var wanted = call.plan.wanted
        for shard in call.plan.take where wanted > 0 && (rows[shard].owner == nil || rows[shard].expiresAt <= now) {
            rows[shard] = Row(owner: p, token: rows[shard].token + 1, expiresAt: now + Self.timeToLive)
            owned[shard] = rows[shard].token
            wanted -= 1
            moves += 1
        }
        call.answer = (owned, now)
        processes[p].call = call
    }

    private mutating func answer(_ p: Int) {
        guard acts(p), let call = processes[p].call, let answer = call.answer else { return }
        processes[p].call = nil
        for shard in call.renewed.keys where answer.owned[shard] == nil {
            processes[p].owned[shard]?.clock.lost()
            processes[p].owned[shard] = nil
        }
        for (shard, token) in answer.owned {
            var lease =
                processes[p].owned[shard]
                ?? (token, LeaseClock(timeToLive: .milliseconds(Self.timeToLive), margin: .milliseconds(Self.margin)))
            lease.token = token
            lease.clock.renewed(callStartedAt: call.startedAt)
            processes[p].owned[shard] = lease
        }
    }

    /// No shard is trusted by two, however long a process slept: trust is looked at on waking, by its own clock.
    private mutating func check() {
        guard problem == nil else { return }
        for shard in rows.indices {
            let trusting = processes.indices.filter { processes[$0].owned[shard]?.clock.isTrusted(at: local($0)) ?? false }
            if trusting.count > 1 { problem = "shard \(shard) is trusted by processes \(trusting) at \(now) ms" }
        }
    }

    /// Every process that is up does its rounds, all answers come: shards settle on fair shares and stay.
    mutating func settle() {
        for p in processes.indices { processes[p].call = nil }
        round(times: 7)
        guard problem == nil else { return }
        let up = processes.indices.filter { processes[$0].isUp }
        guard !up.isEmpty else { return }
        let share = fair.share(workers: up.count)
        for p in up where processes[p].owned.count > share { problem = "process \(p) owns \(processes[p].owned.count), more than \(share)" }
        let owned = up.reduce(0) { $0 + processes[$1].owned.count }
        if owned != setting.shards { problem = "\(owned) of \(setting.shards) shards are owned" }
        let before = moves
        round(times: 3)
        if moves != before { problem = "\(moves - before) shards moved although nothing changed" }
    }

    private mutating func round(times: Int) {
        for _ in 0..<times where problem == nil {
            for p in processes.indices {
                processes[p].stalledUntil = min(processes[p].stalledUntil, now)
                perform(.round(p))
                perform(.serve(p))
                perform(.answer(p))
            }
            perform(.pass(1_500))
        }
    }
}
