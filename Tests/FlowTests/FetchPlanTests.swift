import Testing

@testable import Flow

@Suite("The plan of a fetch")
struct FetchPlanTests {
    private typealias Step = FetchPlan.Step
    private typealias Answer = FetchPlan.Answer

    /// What happens in turn: what the plan is told, and the step that it must take then.
    private enum Told: CustomStringConvertible {
        case answer(FetchPlan.Answer)
        case identity(FetchPlan.Refreshed)

        var description: String {
            switch self {
            case .answer(let answer): "answer \(answer)"
            case .identity(let identity): "identity \(identity)"
            }
        }
    }

    private static let own = Step.ask(.init(name: "own", isOwn: true))
    private static let moved = Step.ask(.init(name: "new", isOwn: true))
    private static let relay = Step.ask(.init(name: "relay", isOwn: false))
    private static let second = Step.ask(.init(name: "second", isOwn: false))
    private static let same = Told.identity(.known(ownHost: "own", isKeyNew: false))
    private static let movedAway = Told.identity(.known(ownHost: "new", isKeyNew: false))
    private static let down = Told.answer(.unavailable("is down"))

    private static func wait(_ host: String, _ error: String, _ atLeast: Duration = .zero, isFailure: Bool = true) -> Step {
        .wait(.init(host: host, error: error, atLeast: atLeast, isFailure: isFailure))
    }

    private func check(
        isFresh: Bool = false, ownHost: String? = "own", fallbacks: [String] = ["relay", "second"], failures: Int = 0, _ first: Step,
        _ turns: [(Told, Step)], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var plan = FetchPlan(
            ownHost: ownHost, isFresh: isFresh, fallbacks: fallbacks, storedRev: "3kb", failures: failures, failuresMax: 10)
        #expect(plan.begin() == first, sourceLocation: sourceLocation)
        for (told, step) in turns {
            let taken =
                switch told {
                case .answer(let answer): plan.answered(answer)
                case .identity(let identity): plan.refreshed(identity)
                }
            #expect(taken == step, "after \(told)", sourceLocation: sourceLocation)
        }
    }

    @Test("a snapshot that is not older than what was delivered is written, whoever gives it")
    func current() {
        check(Self.own, [(.answer(.snapshot(rev: "3kb")), .write(isFork: false))])
        check(
            Self.own,
            [(Self.down, .refresh), (Self.same, Self.relay), (.answer(.snapshot(rev: "3kc")), .write(isFork: false))])
    }

    @Test("an older one is a fork where the account's own host stands by it, once that is known to be its host still")
    func fork() {
        check(Self.own, [(.answer(.snapshot(rev: "3ka")), .refresh), (Self.same, .write(isFork: true))])
        check(isFresh: true, Self.own, [(.answer(.snapshot(rev: "3ka")), .write(isFork: true))])
        check(
            Self.own,
            [(.answer(.snapshot(rev: "3ka")), .refresh), (Self.movedAway, Self.moved), (.answer(.snapshot(rev: "3kd")), .write(isFork: false))])
        check(
            Self.own,
            [
                (.answer(.snapshot(rev: "3ka")), .refresh),
                (
                    .identity(.failed("directory down")),
                    Self.wait("", "the identity can't be fetched: directory down", FetchPlan.directoryWait, isFailure: false)
                ),
            ])
    }

    @Test("an older one from another host is stale, and the next host is asked")
    func stale() {
        check(
            isFresh: true, Self.own,
            [
                (Self.down, Self.relay), (.answer(.snapshot(rev: "3ka")), Self.second),
                (
                    .answer(.snapshot(rev: "3ka")),
                    Self.wait(
                        "own",
                        "own is down; relay revision 3ka is older than what was delivered; second revision 3ka is older than what was delivered")
                ),
            ])
    }

    @Test("a final answer counts from the account's own host, after one look whether it moved", arguments: FetchPlan.Final.allCases)
    func final(reason: FetchPlan.Final) {
        check(Self.own, [(.answer(.final(reason)), .refresh), (Self.same, .absent(reason))])
        check(isFresh: true, Self.own, [(.answer(.final(reason)), .absent(reason))])
        check(Self.own, [(.answer(.final(reason)), .refresh), (.identity(.gone), .absent(reason))])
        check(
            Self.own,
            [(.answer(.final(reason)), .refresh), (Self.movedAway, Self.moved), (.answer(.snapshot(rev: "3kd")), .write(isFork: false))])
        check(Self.own, [(.answer(.final(reason)), .refresh), (Self.movedAway, Self.moved), (.answer(.final(reason)), .absent(reason))])
        check(
            isFresh: true, fallbacks: ["relay"], Self.own,
            [(Self.down, Self.relay), (.answer(.final(reason)), Self.wait("own", "own is down; relay says \(reason.rawValue)"))])
        // The directory is down: nothing is concluded.
        check(
            Self.own,
            [
                (.answer(.final(reason)), .refresh),
                (.identity(.failed("x")), Self.wait("", "the identity can't be fetched: x", FetchPlan.directoryWait, isFailure: false)),
            ])
    }

    @Test("a bad signature is compared with the newest key once, then another host is asked")
    func signature() {
        let unsigned = "gives a repository that is not signed by the account's key"
        check(
            Self.own,
            [
                (.answer(.badSignature), .refresh), (.identity(.known(ownHost: "own", isKeyNew: true)), .verify),
                (.answer(.snapshot(rev: "3kc")), .write(isFork: false)),
            ])
        check(
            fallbacks: ["relay"], Self.own,
            [
                (.answer(.badSignature), .refresh), (.identity(.known(ownHost: "own", isKeyNew: true)), .verify),
                (.answer(.badSignature), Self.relay), (.answer(.badSignature), Self.wait("own", "own \(unsigned); relay \(unsigned)")),
            ])
        check(Self.own, [(.answer(.badSignature), .refresh), (Self.same, Self.relay)])
        check(
            Self.own,
            [
                (.answer(.badSignature), .refresh), (.identity(.known(ownHost: "new", isKeyNew: true)), .verify),
                (.answer(.badSignature), Self.moved), (.answer(.snapshot(rev: "3kc")), .write(isFork: false)),
            ])
        // Its key is the new one, and it is old: but it is not the host any more.
        check(
            Self.own,
            [
                (.answer(.badSignature), .refresh), (.identity(.known(ownHost: "new", isKeyNew: true)), .verify),
                (.answer(.snapshot(rev: "3ka")), Self.moved),
            ])
    }

    @Test("a host that asked to be left alone is waited for, and that is nobody's failure")
    func asked() {
        check(
            Self.own,
            [(.answer(.parked(.seconds(90), isAsked: true)), Self.wait("own", "own is left alone", .seconds(90), isFailure: false))])
        check(
            failures: 9, Self.own,
            [(.answer(.crowded), Self.wait("own", "own has no place free", FetchPlan.shortWait, isFailure: false))])
    }

    @Test("for a host that is left alone because it failed others are asked, and the job waits as long at least")
    func parked() {
        check(
            fallbacks: ["relay"], Self.own,
            [
                (.answer(.parked(.seconds(90), isAsked: false)), Self.relay),
                (.answer(.parked(.seconds(20), isAsked: true)), Self.wait("own", "own is left alone; relay is left alone", .seconds(20))),
            ])
        check(
            fallbacks: ["relay"], Self.own,
            [(.answer(.parked(.seconds(90), isAsked: false)), Self.relay), (.answer(.snapshot(rev: "3kc")), .write(isFork: false))])
    }

    @Test("an account that may have left a host that is gone is looked up again")
    func moved() {
        check(Self.own, [(Self.down, .refresh), (Self.movedAway, Self.moved), (.answer(.snapshot(rev: "3kc")), .write(isFork: false))])
        check(Self.own, [(Self.down, .refresh), (.identity(.failed("x")), Self.relay)])
        check(Self.own, [(.answer(.useless("has no method")), .refresh), (Self.same, Self.relay)])
    }

    @Test("an account without a host is looked up again, then asked for at the fallbacks")
    func noHost() {
        check(ownHost: nil, .refresh, [(Self.movedAway, Self.moved)])
        let none = Told.identity(.known(ownHost: nil, isKeyNew: false))
        check(ownHost: nil, .refresh, [(none, Self.relay), (.answer(.snapshot(rev: "3kc")), .write(isFork: false))])
        check(ownHost: nil, fallbacks: [], .refresh, [(none, Self.wait("", "the account names no host"))])
        check(
            isFresh: true, ownHost: nil, fallbacks: ["relay"], Self.relay,
            [(.answer(.snapshot(rev: "3ka")), Self.wait("relay", "relay revision 3ka is older than what was delivered"))])
    }

    @Test("a job is given up at its last failure, and one that is too large at once")
    func givesUp() {
        check(
            isFresh: true, fallbacks: ["relay"], failures: 9, Self.own,
            [(Self.down, Self.relay), (.answer(.useless("has no method")), .giveUp("own is down; relay has no method"))])
        check(
            isFresh: true, fallbacks: ["relay"], Self.own,
            [(.answer(.tooLarge("sends too much")), Self.relay), (Self.down, .giveUp("own sends too much; relay is down"))])
        check(
            isFresh: true, fallbacks: ["relay"], Self.own,
            [(.answer(.tooLarge("sends too much")), Self.relay), (.answer(.snapshot(rev: "3kc")), .write(isFork: false))])
        // A stranger's lie is not the account's size.
        check(
            isFresh: true, fallbacks: ["relay"], Self.own,
            [(Self.down, Self.relay), (.answer(.tooLarge("sends too much")), Self.wait("own", "own is down; relay sends too much"))])
    }

    @Test("a host is asked once an attempt, also where it stands among the fallbacks")
    func once() {
        check(
            isFresh: true, fallbacks: ["own", "relay", "relay"], Self.own,
            [(Self.down, Self.relay), (Self.down, Self.wait("own", "own is down; relay is down"))])
    }
}
