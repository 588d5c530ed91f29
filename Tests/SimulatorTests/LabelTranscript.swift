import ATProto

@testable import Simulator

/// What a consumer has read of one labeler, over all its connections.
struct LabelTranscript: Sendable {
    struct Label: Hashable, Sendable {
        var seq: Int64
        var value: CBORValue

        subscript(key: String) -> String? {
            if case .text(let text)? = value[key] { text } else { nil }
        }
        var isNegation: Bool { value["neg"] == true }
        var signature: [UInt8]? {
            if case .bytes(let bytes)? = value["sig"] { bytes } else { nil }
        }
        var identity: String { "\(self["src"] ?? "") \(self["uri"] ?? "") \(self["cid"] ?? "") \(self["val"] ?? "")" }

        /// Whether the signature is the key's, over the label without it.
        func isSigned(by key: VerificationKey) -> Bool {
            guard case .map(var map) = value, let signature else { return false }
            map["sig"] = nil
            return key.verify(signature: signature, digest: Digest(hashing: CBORValue.map(map).encode()))
        }
    }

    var frames: [[UInt8]] = []
    var labels: [Label] = []
    /// How many labels each frame had.
    var counts: [Int] = []
    /// Names of `#info` and error messages.
    var notes: [String] = []
    var connections = 0
    var lastSeq: Int64 { labels.last?.seq ?? 0 }

    /// `{t: "#labels", op: 1}`
    private static let header: [UInt8] = [0xa2, 0x61, 0x74, 0x67] + Array("#labels".utf8) + [0x62] + Array("op".utf8) + [0x01]

    mutating func take(_ frame: [UInt8]) throws {
        guard frame.starts(with: Self.header) else {
            switch try StreamMessage(frame: frame) {
            case .info(let info): notes.append(info.name)
            case .error(let error): notes.append(error.error)
            default: throw FormatError(.message, "another message than #labels")
            }
            return
        }
        let body = try CBORValue.decode(Array(frame.dropFirst(Self.header.count)))
        guard case .integer(let seq)? = body["seq"], case .array(let values)? = body["labels"] else { throw FormatError(.message, "no labels") }
        frames.append(frame)
        counts.append(values.count)
        labels += values.map { Label(seq: seq, value: $0) }
    }

    /// Reads until so many labels are there, again from the last number after each end.
    static func follow(_ address: String, until count: Int, from cursor: Int64 = 0) async throws -> LabelTranscript {
        var transcript = LabelTranscript()
        while transcript.labels.count < count {
            transcript.connections += 1
            _ = try await RelayReader.read(
                address, path: RelayServer.labelerPath, cursor: transcript.labels.isEmpty ? cursor : transcript.lastSeq
            ) { frame in
                try transcript.take(frame)
                return transcript.labels.count >= count
            }
        }
        return transcript
    }
}
