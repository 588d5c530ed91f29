import ATProto
import Events
import NIOCore
import TestSupport
import Testing

@testable import Hosts

@Suite("DID documents")
struct DIDFetcherTests {
    private static let did = HostBench.did
    private static let key = "zQ3shXjHeiBuRCKmM36cuYnm7YEMzhGnCmCyW92sRJ9pribSF"

    private static func document(_ did: String, methods: [String], services: [(String, String, String)]) -> String {
        let methods = methods.map {
            #"{"id": "\#(did)\#($0)", "type": "Multikey", "controller": "\#(did)", "publicKeyMultibase": "\#(key)"}"#
        }
        let services = services.map { #"{"id": "\#($0.0)", "type": "\#($0.1)", "serviceEndpoint": "\#($0.2)"}"# }
        return #"""
            {"id": "\#(did)", "alsoKnownAs": ["at://alice.test"], "verificationMethod": [\#(methods.joined(separator: ","))],
             "service": [\#(services.joined(separator: ","))]}
            """#
    }

    private static let pds = ("#atproto_pds", "AtprotoPersonalDataServer", "https://pds.example.com")
    private static let labeler = ("#atproto_labeler", "AtprotoLabeler", "https://labels.example.com")

    private func with(
        _ steps: [StubStep], limit: Duration = .seconds(5), connections: HostConnections = HostConnections(),
        _ test: (DIDFetcher, StubHost) async throws -> Void
    ) async throws {
        let directory = try await StubHost.start { _ in steps }
        let fetcher = DIDFetcher(
            DIDFetcherConfiguration(plcURL: "http://127.0.0.1:\(directory.port)", fetchTimeout: limit, documentBytes: 10_000),
            connections: connections)
        try await test(fetcher, directory)
        await connections.close()
        await directory.stop()
    }

    @Test("an account's document gives its key and host, and those of its labeler")
    func account() async throws {
        let text = Self.document(Self.did, methods: ["#atproto", "#atproto_label"], services: [Self.pds, Self.labeler])
        try await with(StubStep.answer(200, text)) { fetcher, directory in
            guard case .found(let identity) = await fetcher.fetch(Self.did, now: WallTime(microseconds: 7)) else {
                Issue.record("not found")
                return
            }
            #expect(identity.host == "https://pds.example.com" && identity.handle == "alice.test" && identity.fetchedAt.microseconds == 7)
            #expect(identity.labelKey == identity.key && identity.labelerHost == "https://labels.example.com")
            #expect(directory.seen.requests.map(\.target) == ["/\(Self.did)"])
        }
    }

    @Test("a labeler needs no key of an account, an account does")
    func labeler() async throws {
        let text = Self.document(Self.did, methods: ["#atproto_label"], services: [Self.labeler])
        try await with(StubStep.answer(200, text)) { fetcher, _ in
            guard case .absent = await fetcher.fetch(Self.did, now: WallTime(microseconds: 0)),
                case .found(let labeler) = await fetcher.fetchLabeler(Self.did, now: WallTime(microseconds: 0))
            else {
                Issue.record("the account is there, or the labeler is not")
                return
            }
            #expect(labeler.host == "https://labels.example.com" && labeler.labelKey != nil)
        }
        try await with(StubStep.answer(200, Self.document(Self.did, methods: ["#atproto"], services: [Self.pds]))) { fetcher, _ in
            guard case .absent = await fetcher.fetchLabeler(Self.did, now: WallTime(microseconds: 0)) else {
                Issue.record("an account is a labeler")
                return
            }
        }
    }

    @Test(
        "what a directory answers may be final",
        arguments: [
            StubStep.answer(404), StubStep.answer(410), StubStep.answer(200, "{}"), StubStep.answer(200, String(repeating: "x", count: 20_000)),
        ])
    func final(steps: [StubStep]) async throws {
        try await with(steps) { fetcher, _ in
            guard case .absent = await fetcher.document(Self.did) else {
                Issue.record("not final")
                return
            }
        }
    }

    @Test(
        "a directory that fails, is cut off, drips or is silent says nothing of the DID, and soon",
        arguments: [
            StubStep.answer(500), [.archive(length: 9), .text("{"), .close],
            [.archive(length: 5_000), .drip([0x20], every: .milliseconds(10), times: 5_000)], [.hang],
        ] as [[StubStep]])
    func failed(steps: [StubStep]) async throws {
        try await with(steps, limit: .milliseconds(400)) { fetcher, _ in
            guard case .failed = await fetcher.document(Self.did) else {
                Issue.record("an answer")
                return
            }
        }
    }

    @Test("a did:web is asked of its own host, where that has a public address")
    func web() async throws {
        let unused = StubStep.answer(500)
        try await with(unused) { fetcher, directory in
            guard case .absent(let reason) = await fetcher.document("did:web:localhost%3A\(directory.port)") else {
                Issue.record("a private host is asked")
                return
            }
            #expect(reason.contains("private address"))
            #expect(directory.seen.connections == 0)
        }
        let connections = HostConnections(HostConnectionConfiguration(), isAllowed: { _ in true }) {
            try? SocketAddress(ipAddress: "127.0.0.1", port: $0.port)
        }
        try await with(StubStep.answer(404), connections: connections) { fetcher, directory in
            guard case .absent = await fetcher.document("did:web:localhost%3A\(directory.port)") else {
                Issue.record("not asked")
                return
            }
            #expect(directory.seen.requests.map(\.target) == ["/.well-known/did.json"])
        }
    }
}
