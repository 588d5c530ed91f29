import ATProto
import Foundation
import Testing

/// The vectors that others made: read from the folder that `WEIR_CONFORMANCE` names, or `../shared/conformance` beside the package.
enum Conformance {
    static let folder: String? = {
        let beside = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../shared/conformance").standardized.path
        let path = ProcessInfo.processInfo.environment["WEIR_CONFORMANCE"] ?? beside
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    static var isPresent: Bool { folder != nil }
    static let absent: Comment = "the conformance vectors are not on this machine"

    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = try #require(folder)
        return Array(try Data(contentsOf: URL(filePath: folder).appending(path: name)))
    }

    static func json(_ name: String) throws -> JSONValue { try JSONValue(parsing: bytes(name)) }

    static func objects(_ name: String) throws -> [JSONValue] { try #require(json(name).array) }

    /// The lines of a list that are no comments and not empty.
    static func lines(_ name: String) throws -> [String] {
        String(decoding: try bytes(name), as: UTF8.self).split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }
}

/// A small generator whose sequence depends on its seed only.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

func base64(_ text: String) throws -> [UInt8] {
    let padded = text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    return Array(try #require(Data(base64Encoded: padded)))
}

func cid(_ text: String?) throws -> CID { try #require(CID(text ?? "")) }
