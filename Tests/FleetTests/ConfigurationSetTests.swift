import Events
import Testing

@testable import Fleet

@Suite struct ConfigurationSetTests {
    private func load(_ yaml: String = "", _ environment: [String: String] = [:], _ flags: [String] = []) throws -> ConfigurationSet {
        try ConfigurationSet(ConfigurationSet.Sources(file: yaml.isEmpty ? nil : (yaml, "weir.yaml"), environment: environment, flags: flags))
    }

    private func problems(_ yaml: String = "", _ environment: [String: String] = [:], _ flags: [String] = []) -> [String] {
        do {
            _ = try load(yaml, environment, flags)
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("without any source every key has its default, and the defaults are allowed")
    func defaults() throws {
        let set = try load()
        #expect(set.entries.allSatisfy { $0.origin == .standard })
        #expect(set["api.bind"]?.value == .text("127.0.0.1:7480"))
        #expect(set["redis.url"]?.value == ConfigurationValue.none)
        _ = try FleetConfiguration(set)
    }

    @Test("the file wins over defaults, the environment over the file, a flag over all; each value knows its origin")
    func precedence() throws {
        let yaml = "api:\n  bind: 127.0.0.1:1\nlog:\n  level: debug\nshards: 8\n"
        let set = try load(yaml, ["WEIR_API_BIND": "127.0.0.1:2", "WEIR_LOG_LEVEL": "error"], ["api.bind=127.0.0.1:3"])
        #expect(set["api.bind"]?.text == "127.0.0.1:3")
        #expect(set["api.bind"]?.origin == .flag("--set"))
        #expect(set["log.level"]?.origin == .variable("WEIR_LOG_LEVEL"))
        #expect(set["shards"]?.value == .integer(8))
        #expect(set["shards"]?.origin == .file(path: "weir.yaml", line: 5))
    }

    @Test("a dotted key in the file is the nested one")
    func dottedKey() throws { #expect(try load("redis.prefix: \"a:\"\n")["redis.prefix"]?.text == "a:") }

    @Test("a key without a value in the file leaves the default")
    func openKey() throws { #expect(try load("redis:\n  url:\nshards:\n")["shards"]?.origin == .standard) }

    @Test("a file has the sinks that it names, and none where it says so; where it says nothing, nothing is changed")
    func sinks() throws {
        func names(_ yaml: String, _ flags: [String] = []) throws -> [String]? {
            try FleetConfiguration(load(yaml, [:], flags)).sinks?.map(\.name.description)
        }
        #expect(try names("sinks:\n  b: {kind: stdout}\n  a:\n    kind: stdout\n") == ["a", "b"])
        #expect(try names("sinks: {}\n") == [])
        for yaml in ["sinks:\n", "shards: 8\n", "# nothing\n"] { #expect(try names(yaml) == nil, "\(yaml)") }
        #expect(try names("") == nil)
        #expect(try names("", ["sinks.a.kind=stdout"]) == ["a"])
        for yaml in ["sinks:\n  a:\n", "\nsinks: {a: {}}\n"] {
            let error = #expect(throws: ConfigurationError.self) { try FleetConfiguration(load(yaml)) }
            #expect(error?.problems.map(\.description).first?.contains("sinks.a.kind") == true, "\(String(describing: error))")
            #expect(error?.problems.map(\.description).first?.contains("(weir.yaml:2)") == true, "\(String(describing: error))")
        }
    }

    @Test(
        "a wrong value is told with key, value, place and what is allowed",
        arguments: [
            ("shards: many\n", "shards = \"many\" (weir.yaml:1): a whole number from 1 to 1024 is allowed"),
            ("\n\nshards: 0\n", "shards = \"0\" (weir.yaml:3): a whole number from 1 to 1024 is allowed"),
            (
                "lease:\n  ttl: 5\n",
                "lease.ttl = \"5\" (weir.yaml:2): a time from 2s to 2min with its unit (ms, s, min, h, d) is allowed, as 5s"
            ),
            ("mode: stict\n", "mode = \"stict\" (weir.yaml:1): one of strict or lenient is allowed; did you mean strict?"),
            ("api:\n  bind: 7480\n", "api.bind = \"7480\" (weir.yaml:2): host:port is allowed, as 127.0.0.1:7480 or [::1]:7480"),
            ("mode: [strict]\n", "mode = \"strict\" (weir.yaml:1): one value is needed, not a list"),
            ("allow_private_hosts: maybe\n", "allow_private_hosts = \"maybe\" (weir.yaml:1): true or false is allowed"),
            ("shards: 8\nshards: 9\n", "weir.yaml (weir.yaml:1): the key shards stands there twice"),
            ("- 1\n", "weir.yaml (weir.yaml:1): the file must be a mapping of keys"),
        ])
    func wrongValue(yaml: String, expected: String) { #expect(problems(yaml) == [expected]) }

    @Test(
        "an unknown key or variable stops the start and names the nearest one",
        arguments: [
            (["api:\n  bnd: 127.0.0.1:1\n", ""], "api.bnd (weir.yaml:2): there is no such key; did you mean api.bind?"),
            (["", "WEIR_REDIS_ULR"], "WEIR_REDIS_ULR (variable WEIR_REDIS_ULR): there is no such variable; did you mean WEIR_REDIS_URL?"),
            (["frobnicate: 1\n", ""], "frobnicate (weir.yaml:1): there is no such key"),
        ])
    func unknown(source: [String], expected: String) {
        #expect(problems(source[0], source[1].isEmpty ? [:] : [source[1]: "x"]) == [expected])
    }

    @Test("all mistakes are told at once")
    func allAtOnce() {
        #expect(problems("shards: 0\nnope: 1\n", ["WEIR_MODE": "x"], ["y"]).count == 4)
    }

    @Test(
        "variables that a cluster puts into every container are nobody's mistake",
        arguments: [
            "WEIR_API_SERVICE_HOST", "WEIR_API_SERVICE_PORT_HTTP", "WEIR_API_PORT", "WEIR_API_PORT_7480_TCP_ADDR", "WEIR_TEST_REDIS_URL",
            "WEIR_CONFORMANCE",
            "PATH",
        ])
    func strangersVariables(name: String) { #expect(problems("", [name: "tcp://10.0.0.1:7480"]).isEmpty) }

    @Test("the high-water mark has the short variable that the manual promises")
    func highWaterVariable() throws { #expect(try load("", ["WEIR_HIGH_WATER_MARK": "5000"])["high_water.entries"]?.value == .integer(5000)) }

    @Test("relay hosts come as a list in the file and with commas elsewhere; a bare host means wss")
    func hosts() throws {
        let expected = ConfigurationValue.list(["wss://a.example", "ws://127.0.0.1:7500"])
        #expect(try load("relay:\n  hosts: [a.example, \"ws://127.0.0.1:7500\"]\n")["relay.hosts"]?.value == expected)
        #expect(try load("", ["WEIR_RELAY_HOSTS": "a.example, ws://127.0.0.1:7500"])["relay.hosts"]?.value == expected)
        #expect(problems("", ["WEIR_RELAY_HOSTS": "ftp://x"]).count == 1)
    }

    @Test("labelers come by their hosts and by their DIDs; none is no mistake")
    func labelers() throws {
        let dids = ConfigurationValue.list(["did:plc:ar7c4by46qjdydhdevvrndac", "did:web:labeler.example"])
        #expect(try load("labeler:\n  dids: [did:plc:ar7c4by46qjdydhdevvrndac, \"did:web:labeler.example\"]\n")["labeler.dids"]?.value == dids)
        #expect(try load("", ["WEIR_LABELER_DIDS": "did:plc:ar7c4by46qjdydhdevvrndac, did:web:labeler.example"])["labeler.dids"]?.value == dids)
        #expect(try load("", ["WEIR_LABELER_HOSTS": "mod.example"])["labeler.hosts"]?.value == .list(["wss://mod.example"]))
        #expect(try load("", ["WEIR_LABELER_HOSTS": "", "WEIR_LABELER_DIDS": ""])["labeler.dids"]?.value == .list([]))
        #expect(problems("", ["WEIR_LABELER_DIDS": "mod.example"]).count == 1)
    }

    @Test("sizes and times are read with their units", arguments: [("1GiB", 1 << 30), ("2097152", 2 << 20), ("64MiB", 64 << 20)])
    func sizes(text: String, bytes: Int) throws {
        #expect(try load("", [:], ["high_water.bytes=\(text)"])["high_water.bytes"]?.value == .integer(bytes))
    }

    @Test("a secret that is refused is not printed")
    func refusedSecret() { #expect(problems("", ["WEIR_REDIS_URL": "http://me:hunter2@x"]).allSatisfy { !$0.contains("hunter2") }) }

    @Test("a renewal that is too rare for its lease is refused")
    func renewal() throws {
        let set = try load("", [:], ["lease.renewal=3s"])
        #expect(throws: ConfigurationError.self) { _ = try FleetConfiguration(set) }
    }

    @Test("a scope by collection needs its collection, and a signal is an NSID")
    func signal() throws {
        func refusal(_ flags: [String]) -> String? {
            do {
                _ = try FleetConfiguration(try load("", [:], flags))
                return nil
            } catch {
                return (error as? ConfigurationError)?.problems.map(\.key).joined()
            }
        }
        #expect(refusal(["repos.scope=collection"]) == "repos.signal")
        #expect(refusal(["repos.signal=posts"]) == "repos.signal")
        #expect(refusal(["repos.scope=collection", "repos.signal=app.bsky.actor.profile"]) == nil)
    }

    @Test("collections come as a list in the file and with commas elsewhere, and a wrong pattern is refused")
    func collections() throws {
        let fromFile = try FleetConfiguration(try load("repos:\n  collections: [app.bsky.feed.*, a.b.c]\n"))
        let fromFlag = try FleetConfiguration(try load("", [:], ["repos.collections=app.bsky.feed.*, a.b.c"]))
        #expect(fromFile.reposCollections.map(\.description) == ["app.bsky.feed.*", "a.b.c"])
        #expect(fromFlag.reposCollections == fromFile.reposCollections)
        #expect(problems("", [:], ["repos.collections=app.*.post"]).count == 1)
    }

    @Test("hosts to list and to fall back on are the relays over HTTP, unless they are named")
    func backfillHosts() throws {
        let relays = try FleetConfiguration(try load("", [:], ["relay.hosts=wss://a,ws://b:1,https://c"]))
        #expect(relays.backfillHosts == ["https://a", "http://b:1", "https://c"])
        #expect(relays.fetchFallbackHosts == relays.backfillHosts)
        let named = try FleetConfiguration(try load("", [:], ["backfill.hosts=d,http://e"]))
        #expect(named.backfillHosts == ["https://d", "http://e"])
    }
}
