import ArgumentParser
import Events
import Foundation
import Serve
import ServiceLifecycle
import TestSupport
import Testing

@testable import Ledger
@testable import weir

@Suite("weir sinks and weir dlq", .timeLimit(.minutes(10))) struct SinksCommandTests {
    @Test(
        "arguments are taken",
        arguments: [
            ["sinks"], ["sinks", "--json"], ["sinks", "list", "--api", "h:1", "--token", "0123456789abcdef"], ["sinks", "show", "audit", "--json"],
            ["sinks", "add", "audit", "kind=webhook", "url=https://h/?a=b", "filter.kinds=record,label", "--replace"], ["sinks", "remove", "audit"],
            ["sinks", "pause", "a"], ["sinks", "resume", "a"], ["sinks", "reset", "a", "--run", "r/1"],
            ["sinks", "rewind", "a", "--to", "earliest"], ["sinks", "rewind", "a", "--to", "17", "--run", "r/1", "--json"], ["dlq"],
            ["dlq", "--sink", "a", "--before", "9", "--limit", "1", "--skipped", "--json"], ["dlq", "show", "17"],
            ["dlq", "requeue", "17", "18"], ["dlq", "skip", "17"],
        ])
    func taken(arguments: [String]) throws { _ = try Weir.parseAsRoot(arguments) }

    @Test(
        "wrong arguments are told before anything is asked",
        arguments: [
            (["sinks", "show"], "name"), (["sinks", "add", "a", "webhook"], "setting=value is allowed"), (["sinks", "rewind", "a"], "--to"),
            (["sinks", "rewind", "a", "--to", "0"], "earliest, now, or a seq"),
            (["sinks", "rewind", "a", "--to", "then"], "earliest, now, or a seq"),
            (["sinks", "reset", "a", "--run", "no run"], "no run is no run's id"), (["dlq", "show", "x"], "'x' is invalid"),
            (["dlq", "skip"], "ids"),
            (["dlq", "requeue"], "ids"), (["dlq", "--limit", "0"], "1 to 1000"), (["dlq", "--limit", "1001"], "1 to 1000"),
            (["dlq", "--sink", "No"], "No is no sink's name"),
        ])
    func wrong(arguments: [String], text: String) {
        let error = #expect(throws: (any Error).self) { try Weir.parseAsRoot(arguments) }
        guard let error else { return }
        #expect(Weir.fullMessage(for: error).contains(text), "\(Weir.fullMessage(for: error))")
    }

    @Test("a sink is added, listed, shown without its secret, ordered about and removed; refusals are told in the API's words with code 1")
    func sinks() async throws {
        try await RealStores.with { stores in
            try await CommandAPI.serving(stores) { api in
                #expect(try await api.weir("sinks") == "there are no sinks; weir sinks add, or sinks: in the configuration file")
                let add =
                    "sinks add audit kind=webhook 'url=https://u.example/in?t=1' secret=0123456789abcdef filter.kinds=record,label start=earliest"
                #expect(try await api.weir(add) == "audit made")
                #expect(try await api.refused(add).contains("there is a sink of this name"))
                #expect(try await api.weir(add + " rate=5 --replace") == "audit changed")
                #expect(try await api.weir(add + " rate=5 --replace") == "audit same")
                #expect(try await api.refused("sinks add b kind=pipe").contains("allowed: file, stdout, redis, webhook, postgres"))

                let list = try await api.weir("sinks").split(separator: "\n")
                #expect(list.count == 2 && list[0].hasPrefix("sink") && list[1].hasPrefix("audit  webhook  starting"), "\(list)")
                #expect(list[1].hasSuffix("no worker runs it"), "\(list)")
                let shown = try await api.weir("sinks show audit")
                #expect(shown.hasPrefix("audit is starting since 2"), "\(shown)")
                for part in ["desired   running · by api · generation 2", "none runs it", "rate = 5", "filter.kinds = record", "secret = •••"] {
                    #expect(shown.contains(part), "\(part) in \(shown)")
                }
                #expect(!shown.contains("0123456789abcdef") && !shown.contains("t=1"), "\(shown)")
                #expect(try await api.weir("sinks show audit --json").hasPrefix(#"{"name":"audit","state":"starting""#))

                #expect(try await api.weir("sinks pause audit") == "audit paused")
                #expect(try await api.weir("sinks").contains("audit  webhook  paused"))
                #expect(try await api.weir("sinks resume audit --json") == #"{"of":"audit","result":"running"}"#)
                #expect(try await api.weir("sinks reset audit --run a/1") == "audit reset")
                #expect(try await api.weir("sinks rewind audit --to now") == "audit rewound")
                #expect(try await api.weir("sinks remove audit") == "audit removed")
                #expect(try await api.refused("sinks remove audit").contains("there is no such sink"))
                #expect(try await api.refused("sinks show audit").contains("there is no such sink"))
            }
            #expect(try await CommandAPI(address: "127.0.0.1:1").shell("sinks").hasSuffix("\n3"))
        }
    }

    @Test("what a worker says of a sink is a line of it, also that it cannot run it and why; strangers' words cannot write to the terminal")
    func workers() async throws {
        try await RealStores.with { stores in
            try await CommandAPI.serving(stores) { api in
                for name in ["a", "b"] { _ = try await api.weir("sinks add \(name) kind=stdout") }
                let sinks = try await stores.ledger.sinks()
                func report(_ sink: RegisteredSink, _ state: String, _ error: String) -> SinkConsumerReport {
                    SinkConsumerReport(
                        sink: sink.name, generation: 1, state: state, since: WallTime(microseconds: 0), breaker: "open", delivered: 7,
                        perSecond: 12.4,
                        failures: 3, error: error, errorAt: WallTime(microseconds: 1), retryAt: WallTime(microseconds: 2))
                }
                try await stores.ledger.reportConsumers(
                    [report(sinks[0], "cannot_run", "ca_file: there is none"), report(sinks[1], "backing_off", "HTTP 500: \u{1b}[2J")],
                    worker: WorkerID("w1"))
                let list = try await api.weir("sinks").split(separator: "\n")
                #expect(list.count == 3 && list[1].contains("cannot_run") && list[1].hasSuffix("ca_file: there is none"), "\(list)")
                #expect(list[2].contains("backing_off") && list[2].contains("  12  ") && list[2].contains("HTTP 500: \\u{1b}[2J"), "\(list)")
                let shown = try await api.weir("sinks show b")
                #expect(shown.contains("w1 · backing_off since 1970-01-01"), "\(shown)")
                #expect(shown.contains("breaker open · 7 delivered, 3 failures · HTTP 500"), "\(shown)")
            }
        }
    }

    @Test("dead letters are listed, shown with their event, requeued and skipped, each once")
    func letters() async throws {
        try await RealStores.with { stores in
            try await CommandAPI.serving(stores) { api in
                #expect(try await api.weir("dlq") == "there are no dead letters")
                let ids = try await Self.refuse(stores, api)
                let list = try await api.weir("dlq").split(separator: "\n")
                #expect(list.count == 3 && list[0].contains("of") && list[0].contains("error"), "\(list)")
                #expect(list[1].contains("hook  orders/1 2  halted"), "\(list)")
                #expect(list[2].contains("hook  orders/1 1  dead") && list[2].hasSuffix("HTTP 422: no"), "\(list)")
                #expect(try await api.weir("dlq --sink other") == "there are no dead letters")
                let page = try await api.shell("dlq --limit 1")
                #expect(page.contains("there may be more: --before \(ids[1])") && !page.contains("orders/1 1"), "\(page)")
                #expect(try await api.weir("dlq --before \(ids[1]) --json").contains(#""id":\#(ids[0])"#))
                #expect(try await api.weir("dlq show \(ids[0])").contains(#""event":{"n":1}"#))
                #expect(try await api.refused("dlq show 999").contains("there is no such dead letter"))

                #expect(try await api.weir("dlq requeue \(ids[0])") == "\(ids[0]) requeued")
                #expect(try await api.refused("dlq requeue \(ids[0])").contains("this dead letter is requeued already"))
                #expect(try await api.weir("dlq skip \(ids[0])") == "\(ids[0]) skipped")
                // The run goes on behind the event that it waited for.
                #expect(try await api.weir("dlq skip \(ids[1]) --json") == #"{"of":"\#(ids[1])","result":"skipped"}"#)
                let run = try #require(RunID("orders/1"))
                #expect(try await stores.ledger.run(run)?.nextSeq["hook"] == 3)
                #expect(try await api.weir("dlq") == "there are no dead letters")
                #expect(try await api.weir("dlq --skipped").split(separator: "\n").count == 3)
                #expect(try await api.refused("dlq skip \(ids[1])").contains("skipped already"))
            }
        }
    }

    /// A run of which the first event is laid aside and the second halts it; their letters' ids.
    private static func refuse(_ stores: RealStores, _ api: CommandAPI) async throws -> [Int64] {
        _ = try await api.weir("sinks add hook kind=webhook url=https://h.example/")
        _ = try await api.weir("runs create --kind order --id orders/1")
        for number in 1...3 { _ = try await api.weir("runs append orders/1 t '{\"n\":\(number)}'") }
        for seq in [Int64(1), 2] {
            let claims = try await stores.ledger.claimOutbox(sink: "hook", publisher: WorkerID("w"), ttl: .seconds(60), limit: 1)
            let claim = try #require(claims.first)
            let refused = RefusedEvent(seq: seq, error: "HTTP 422: no", attempts: 5, payload: #"{"n":\#(seq)}"#)
            if seq == 1 {
                #expect(try await stores.ledger.layAside(refused, of: claim))
            } else {
                #expect(try await stores.ledger.halt(at: refused, of: claim, reason: "refused"))
            }
        }
        let letters = try await stores.ledger.deadLetters(sink: nil, withSkipped: false, before: nil, limit: 10)
        return letters.map(\.id).sorted()
    }
}
