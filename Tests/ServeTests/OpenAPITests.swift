import ATProto
import Events
import Foundation
import NIOHTTP1
import Testing

@testable import Ledger
@testable import Serve

@Suite("The description of the API", .timeLimit(.minutes(10))) struct OpenAPITests {
    private static let methods = ["get", "post", "put", "patch", "delete"]

    private static func document(_ api: TestAPI) async throws -> JSONSchema {
        JSONSchema(root: try JSONValue(parsing: Array(try await api.get("/openapi.json").body.utf8)))
    }

    private static func members(_ value: JSONValue?) -> [JSONValue.Field] {
        guard case .object(let fields) = value else { return [] }
        return fields
    }

    /// Every operation: its path as it stands in the description, its method, and itself.
    private static func operations(_ document: JSONSchema) -> [(path: String, method: String, operation: JSONValue)] {
        members(document.root["paths"]).flatMap { path in
            members(path.value).filter { methods.contains($0.key) }.map { (path.key, $0.key, $0.value) }
        }
    }

    private static let sinkOrders: [(String, String?)] = [
        ("pause", nil), ("resume", nil), ("reset", #"{"run":"a"}"#), ("rewind", #"{"to":"now"}"#), ("rewind", #"{"to":7}"#),
    ]

    private static func target(_ path: String) -> String {
        path.replacing("{id}", with: "orders/1").replacing("{did}", with: "did:plc:a").replacing("{name}", with: "audit").replacing(
            "{letter}", with: "7")
            + (path == "/labels" ? "?uri=did:plc:a" : "")
    }

    @Test("what is described is routed, what is routed is described, with its parameters and its scope")
    func complete() async throws {
        try await TestAPI.run { api in
            let document = try await Self.document(api)
            #expect(document.root["openapi"]?.string == "3.1.0")
            var names: Set<String> = []
            for (path, method, operation) in Self.operations(document) {
                let request = try Request(method: HTTPMethod(rawValue: method.uppercased()), target: Self.target(path))
                let route = try Router(servesLog: true).route(request)
                names.insert(route.name)
                let scope = operation["description"]?.string
                #expect(scope == route.scope.map { "Scope: \($0.rawValue)." }, "\(method) \(path)")
                #expect((operation["security"] != nil) == (route.scope == nil), "\(method) \(path)")
                for parameter in operation["parameters"]?.array ?? [] where parameter["in"]?.string == "query" {
                    try check(parameter["name"]?.string ?? "", of: path, method)
                }
            }
            #expect(names == (try Self.routeNames()))
            // The root's answer, for people, names the same paths.
            let index = try JSONValue(parsing: Array(try await api.get("/").body.utf8))
            let told = (index["paths"]?.array ?? []).compactMap { $0.string?.split(separator: "?").first.map(String.init) }
            let described = Self.members(document.root["paths"]).map(\.key).filter { $0 != "/" && !$0.hasPrefix("/api/") }
            #expect(Set(told) == Set(described))
        }
    }

    /// A parameter that the router does not know would be refused as such.
    private func check(_ name: String, of path: String, _ method: String) throws {
        let target = Self.target(path)
        let request = try Request(
            method: HTTPMethod(rawValue: method.uppercased()), target: target + (target.contains("?") ? "&" : "?") + "\(name)=~")
        do throws(Problem) {
            _ = try Router(servesLog: true).route(request)
        } catch {
            #expect(error.code != .unknownParameter, "\(method) \(path) does not know \(name)")
        }
    }

    /// The names of all routes, from their source: a route without a line in the description is found.
    private static func routeNames() throws -> Set<String> {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let source = try ["HTTP/Route", "API/SinkRoute"].map { file in
            try String(contentsOf: root.appendingPathComponent("Sources/Serve/\(file).swift"), encoding: .utf8)
        }.joined(separator: "\n")
        let names = source.split(separator: "\n").compactMap { line -> String? in
            guard line.contains("case ."), let start = line.range(of: ": \"")?.upperBound, line.hasSuffix("\"") else { return nil }
            return String(line[start...].dropLast())
        }
        return Set(names)
    }

    @Test("codes of problems are all described")
    func codes() async throws {
        try await TestAPI.run { api in
            let document = try await Self.document(api)
            let described = document.resolve("#/components/schemas/Problem/properties/code")?["enum"]?.array?.compactMap(\.string) ?? []
            #expect(Set(described) == Set(Problem.Code.allCases.map(\.rawValue)))
        }
    }

    /// To a run and to a merged stream, under the name that paths get here.
    private func subscribe(_ api: TestAPI) async throws {
        for topic: SubscriptionTopic in [.run(.firehose(1)), .log(.firehose)] {
            _ = try await api.subscriptions.openSubscription(SubscriptionKey(topic: topic, name: "audit"), start: [0, 0])
        }
    }

    @Test("answers are what the description says, each kind of them")
    func answers() async throws {
        try await TestAPI.run { api in
            let document = try await Self.document(api)
            await api.log.set(.test(owner: "w"))
            await api.append(testEvents(.firehose(1), count: 3))
            var seen: Set<String> = []
            func check(_ method: String, _ path: String, _ target: String? = nil, body: String? = nil, status: UInt = 200) async throws {
                seen.insert("\(method) \(path)")
                let target = target ?? Self.target(path)
                let (given, text): (UInt, String)
                if method == "post" {
                    let reply = try await api.post(target, body ?? "{}")
                    (given, text) = (reply.status, reply.body)
                } else {
                    let reply = try await api.get(target, method: method.uppercased())
                    (given, text) = (reply.status, reply.body)
                }
                #expect(given == status, "\(target): \(text)")
                let operation = document.root["paths"]?[path]?[method]
                let response = operation?["responses"]?["\(status)"] ?? document.resolve("#/components/responses/Problem")
                let media = status >= 400 && path != "/ready" ? "application/problem+json" : "application/json"
                let schema = try #require(response?["content"]?[media]?["schema"], "\(method) \(path) \(status) is not described")
                let faults = document.faults(try JSONValue(parsing: Array(text.utf8)), schema)
                #expect(faults.isEmpty, "\(target): \(faults)")
                if let body, status < 400 {
                    let taken = try #require(operation?["requestBody"]?["content"]?["application/json"]?["schema"], "\(path) takes no body")
                    #expect(document.faults(try JSONValue(parsing: Array(body.utf8)), taken).isEmpty, "\(body)")
                }
            }
            let creation = #"{"kind":"k","id":"orders/1","metadata":{"a":[1]},"idempotency_key":"i"}"#
            try await check("post", "/runs", body: creation, status: 201)
            try await check("post", "/runs", body: creation)
            try await check("post", "/runs", body: #"{"kind":"k","id":"orders/1"}"#, status: 409)
            let events = #"[{"type":"t","key":"k","key_seq":3,"dedup_key":"d","payload":{"x":null}},{"type":"u","key":"l"},{"type":"v"}]"#
            try await check("post", "/runs/{id}/events", body: events)
            try await check("post", "/runs/{id}/events", body: #"{"type":"t"}"#)
            try await check("post", "/runs/{id}/events", "/runs/orders/1/events?expectedSeq=1", body: #"{"type":"t"}"#, status: 409)
            try await check("post", "/runs/{id}/events", body: #"{"type":" "}"#, status: 400)
            try await check("get", "/runs/{id}/events")
            try await check("get", "/runs/{id}/events", "/runs/orders/1/events?fromSeq=1&limit=1")
            try await check("get", "/runs/{id}/snapshot", "/runs/orders/1/snapshot?limit=1")
            try await check("get", "/runs/{id}/snapshot")
            try await check("post", "/runs/{id}/cancel", body: #"{"reason":"r"}"#)
            try await check("post", "/runs/{id}/finish", body: #"{"state":"failed"}"#, status: 409)
            _ = try await api.post("/runs", #"{"kind":"k","id":"orders/2"}"#)
            try await check("post", "/runs/{id}/finish", "/runs/orders/2/finish", body: #"{"state":"failed","reason":"r"}"#)
            for target in ["/runs", "/runs?limit=1"] { try await check("get", "/runs", target) }
            try await check("get", "/runs/{id}")
            try await check("get", "/runs/{id}", "/runs/nobody", status: 404)
            for path in ["/", "/health", "/ready", "/status", "/labels", "/repos", "/repos/{did}", "/openapi.json"] { try await check("get", path) }
            await api.log.set(.test(owner: nil))
            try await check("get", "/ready", status: 503)
            for verb in ["add", "remove", "resync"] { try await check("post", "/repos/\(verb)", body: #"{"dids":["did:plc:a"]}"#) }
            try await check("get", "/repos/{did}")
            try await check("post", "/sinks", body: #"{"name":"audit","kind":"stdout","batch":{"events":5}}"#, status: 201)
            try await check("post", "/sinks", "/sinks?replace=true", body: #"{"name":"audit","kind":"stdout"}"#)
            for (verb, body) in Self.sinkOrders { try await check("post", "/sinks/{name}/\(verb)", body: body) }
            await api.sinks.fill(SinkName("audit"))
            for path in ["/sinks", "/sinks/{name}", "/dlq", "/dlq/{letter}"] { try await check("get", path) }
            for verb in ["requeue", "skip"] { try await check("post", "/dlq/{letter}/\(verb)", body: nil) }
            for status: UInt in [200, 404] { try await check("delete", "/sinks/{name}", status: status) }
            try await subscribe(api)
            for target in ["/subscriptions", "/subscriptions?limit=1"] { try await check("get", "/subscriptions", target) }
            for status: UInt in [200, 404] { try await check("delete", "/subscriptions/{name}", status: status) }
            let all = Self.operations(document).filter { _, method, operation in
                method != "get" || operation["responses"]?["200"]?["content"]?["application/json"] != nil
            }
            #expect(seen == Set(all.map { "\($0.method) \($0.path)" }), "an answer of each operation is compared")
        }
    }
}
