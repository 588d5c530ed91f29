import Events
import Testing

@testable import Flow

@Suite("A repository chain")
struct RepositoryChainTests {
    private func commit(_ rev: String, since: String?, prevData: [UInt8]? = nil, data: [UInt8] = [9]) -> RepositoryChain.Commit {
        RepositoryChain.Commit(rev: rev, since: since, prevData: prevData, data: data)
    }

    private func chain(_ status: RepositoryChain.Status = .active) -> RepositoryChain { RepositoryChain(rev: "3c", data: [3], status: status) }

    @Test("adopts an unknown repository at whatever rev it is seen first")
    func baseline() {
        var chain = RepositoryChain()
        #expect(chain.commit(commit("3c", since: "3b", prevData: [2], data: [3])) == .apply(broken: nil))
        #expect(chain.rev == "3c" && chain.data == [3] && chain.status == .active)
    }

    @Test(
        "judges a commit by what it says it follows",
        arguments: [
            ("3d", "3c", [3], .apply(broken: nil)),
            ("3d", "3c", nil, .apply(broken: nil)),
            ("3c", "3b", [2], .duplicate),
            ("3b", "3a", [1], .duplicate),
            ("3f", "3d", [5], .hold(missing: "3d")),
            ("3d", "3b", [3], .apply(broken: .fork)),
            ("3d", nil, nil, .apply(broken: .fork)),
            ("3d", nil, [3], .apply(broken: nil)),
            ("3d", nil, [7], .apply(broken: .fork)),
            ("3d", "3d", [3], .apply(broken: .fork)),
            ("3d", "3c", [7], .apply(broken: .root)),
        ] as [(String, String?, [UInt8]?, RepositoryChain.Verdict)])
    func commits(rev: String, since: String?, prevData: [UInt8]?, verdict: RepositoryChain.Verdict) {
        var chain = chain()
        #expect(chain.commit(commit(rev, since: since, prevData: prevData)) == verdict)
        switch verdict {
        case .apply(let broken):
            #expect(chain.rev == rev && chain.data == [9])
            #expect(chain.status == (broken == nil ? .active : .desynchronized))
            #expect(chain.reason == broken?.rawValue ?? "")
        case .withhold, .duplicate, .hold, .wait, .ignore: #expect(chain == self.chain())
        }
    }

    @Test("delivers a commit whose predecessor never came once it is overdue, and says so")
    func overdue() {
        var chain = chain()
        #expect(chain.commit(commit("3f", since: "3d"), overdue: true) == .apply(broken: .missingPredecessor))
        #expect(chain.status == .desynchronized && chain.reason == "missing_predecessor")
        #expect(chain.commit(commit("3d", since: "3c")) == .duplicate, "the predecessor is late now")
        #expect(chain.commit(commit("3g", since: "3f", prevData: [9])) == .apply(broken: nil))
        #expect(chain.status == .desynchronized, "until a resync")
    }

    @Test(
        "takes a sync that declares another state as a break",
        arguments: [
            ("3c", [3], .duplicate), ("3b", [2], .duplicate), ("3d", [3], .apply(broken: nil)), ("3d", [4], .apply(broken: .sync)),
            ("3c", [4], .apply(broken: .sync)),
        ] as [(String, [UInt8], RepositoryChain.Verdict)])
    func syncs(rev: String, data: [UInt8], verdict: RepositoryChain.Verdict) {
        var chain = chain()
        #expect(chain.sync(rev: rev, data: data) == verdict)
        var unknown = RepositoryChain()
        #expect(unknown.sync(rev: rev, data: data) == .apply(broken: nil))
    }

    @Test("goes on silently while the account is inactive, and is desynchronized when it comes back", arguments: ["takendown", "deleted"])
    func inactive(status: String) {
        var chain = chain()
        #expect(chain.account(active: false, status: status, time: WallTime(microseconds: 10)) == true)
        #expect(chain.status == (status == "deleted" ? .deleted : .inactive) && chain.reason == status)
        #expect(chain.commit(commit("3d", since: "3c", prevData: [3])) == .withhold)
        #expect(chain.account(active: true, status: "", time: WallTime(microseconds: 11)) == true)
        #expect(chain.status == .desynchronized && chain.reason == "reactivated")
        #expect(chain.commit(commit("3e", since: "3d", prevData: [9])) == .apply(broken: nil))
    }

    @Test("drops identity and account events that are not newer than the last of their kind")
    func times() {
        var chain = chain()
        #expect(chain.identity(time: WallTime(microseconds: 10)) == true)
        #expect(chain.identity(time: WallTime(microseconds: 10)) == false)
        #expect(chain.identity(time: WallTime(microseconds: 9)) == false)
        #expect(chain.account(active: false, status: "suspended", time: WallTime(microseconds: 5)) == true)
        #expect(chain.account(active: true, status: "", time: WallTime(microseconds: 4)) == false)
        #expect(chain.status == .inactive)
        #expect(chain.identity(time: WallTime(microseconds: 11)) == true)
    }
}
