import Testing

@Suite("Leases and shares, in random histories")
struct LeaseModelTests {
    @Test("no shard is ever trusted by two processes, and shares settle in bounded rounds without shards that bounce")
    func histories() {
        Histories.check("leases", 1_500) { random in
            let processes = random.number(2...4)
            // Within 4 % of each other: what the margin of a tenth is for.
            let setting = LeaseModel.Setting(
                shards: random.number(1...6), processes: processes, rates: (0..<processes).map { _ in random.number(980...1_020) })
            let events = (0..<150).map { _ -> LeaseModel.Event in
                let p = random.below(processes)
                switch random.below(24) {
                case 0...3: return .pass(random.pick([50, 300, 1_500, 4_600]))
                case 4...8: return .round(p)
                case 9...13: return .serve(p)
                case 14...18: return .answer(p)
                case 19: return .loseAnswer(p)
                case 20: return .stall(p, random.pick([500, 3_000, 6_000, 20_000]))
                case 21: return random.once(in: 3) ? .crash(p) : .start(p)
                default: return .start(p)
                }
            }
            return (setting, events)
        } run: { setting, events in
            var model = LeaseModel(setting)
            for event in events {
                model.perform(event)
                if let problem = model.problem { return problem }
            }
            model.settle()
            return model.problem
        }
    }
}
