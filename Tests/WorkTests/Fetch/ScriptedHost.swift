import ATProto
import Synchronization
import TestSupport

/// A repository host that answers each account's request as it is told to, and may be told otherwise at any time; and a directory of DIDs.
final class ScriptedHost: Sendable {
    /// How an archive may be wrong.
    enum Flaw: Sendable, CaseIterable {
        /// The connection ends before the length that was said.
        case cut
        /// It ends where the host says that it ends, in the middle of a block.
        case short
        /// A block is not what its CID says.
        case wrongCID
        /// A node of the tree is left out.
        case missingBlock
        case wrongKey

        /// What a job says of it.
        var reason: String {
            switch self {
            case .cut: "stream ended at an unexpected time"
            case .short: "gives an archive that is not sound"
            case .wrongCID: "gives an archive that is not sound"
            case .missingBlock: "gives an archive that is not sound"
            case .wrongKey: "is not signed by the account's key"
            }
        }
    }

    private final class Script: Sendable {
        let answers = Mutex<[String: [StubStep]]>([:])
    }

    let stub: StubHost
    private let script: Script

    private init(_ stub: StubHost, _ script: Script) {
        self.stub = stub
        self.script = script
    }

    static func with(_ body: (ScriptedHost) async throws -> Void) async throws {
        let script = Script()
        let stub = try await StubHost.start { request in
            // The last word of a path or of a query is the DID.
            let did = request.target.split(whereSeparator: { "/=".contains($0) }).last.map(String.init) ?? ""
            let isRepository = request.target.hasPrefix("/xrpc/com.atproto.sync.getRepo?")
            return script.answers.withLock { $0[(isRepository ? "" : "/") + did] } ?? StubStep.answer(404, #"{"error":"NotFound"}"#)
        }
        do { try await body(ScriptedHost(stub, script)) } catch {
            await stub.stop()
            throw error
        }
        await stub.stop()
    }

    var name: String { "127.0.0.1:\(stub.port)" }

    /// How often a repository was asked for.
    func asked(_ account: TestAccount) -> Int { stub.seen.requests.count { $0.target.hasSuffix("getRepo?did=\(account.did)") } }

    func answer(_ account: TestAccount, _ steps: [StubStep]) { script.answers.withLock { $0[account.did] = steps } }

    func refuse(_ account: TestAccount, _ status: Int, error: String, headers: [(String, String)] = []) {
        answer(account, StubStep.answer(status, #"{"error":"\#(error)","message":"says the test"}"#, headers: headers))
    }

    /// Gives the repository as it is now; returns the length of its archive.
    @discardableResult
    func give(_ account: TestAccount) throws -> Int {
        var account = account
        let blocks = try account.blocks()
        let archive = CARWriter.encode(roots: [blocks[0].cid], blocks: blocks)
        answer(account, StubStep.archive(archive))
        return archive.count
    }

    /// Gives the repository in a way that is wrong.
    func give(_ account: TestAccount, _ flaw: Flaw) throws {
        var account = account
        var blocks = try account.blocks()
        let whole = CARWriter.encode(roots: [blocks[0].cid], blocks: blocks)
        switch flaw {
        case .cut: answer(account, StubStep.archive(whole, cutAt: whole.count - 20))
        case .short: answer(account, StubStep.archive(Array(whole.dropLast(20))))
        case .wrongCID:
            blocks[blocks.count - 1].bytes[5] ^= 1
            answer(account, StubStep.archive(CARWriter.encode(roots: [blocks[0].cid], blocks: blocks)))
        case .missingBlock:
            blocks.remove(at: 1)
            answer(account, StubStep.archive(CARWriter.encode(roots: [blocks[0].cid], blocks: blocks)))
        case .wrongKey:
            let other = try SigningKey(.k256, secret: [UInt8](repeating: 99, count: 32))
            blocks[0] = try account.commit(signedBy: other)
            answer(account, StubStep.archive(CARWriter.encode(roots: [blocks[0].cid], blocks: blocks)))
        }
    }

    /// Gives half of the repository, and then nothing more.
    func hang(_ account: TestAccount) throws {
        var account = account
        let blocks = try account.blocks()
        let archive = CARWriter.encode(roots: [blocks[0].cid], blocks: blocks)
        answer(account, [.archive(length: archive.count), .send(Array(archive.prefix(archive.count / 2))), .hang])
    }

    /// As the directory says where an account's repository is.
    func document(_ account: TestAccount, at host: ScriptedHost) {
        let key = account.key.verificationKey.didKey.dropFirst("did:key:".count)
        let text = #"""
            {"id": "\#(account.did)", "alsoKnownAs": ["at://alice.test"],
             "verificationMethod": [{"id": "\#(account.did)#atproto", "type": "Multikey", "controller": "\#(account.did)", "publicKeyMultibase": "\#(key)"}],
             "service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "http://\#(host.name)"}]}
            """#
        script.answers.withLock { $0["/" + account.did] = StubStep.answer(200, text) }
    }
}
