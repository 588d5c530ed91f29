import AsyncHTTPClient
import NIOCore

/// Reads an answer as it comes and keeps what came, however it ends.
actor ArchiveReader {
    private(set) var bytes: [UInt8] = []
    /// The number of bytes after each part.
    let counts: AsyncStream<Int>
    private let told: AsyncStream<Int>.Continuation

    init() { (counts, told) = AsyncStream<Int>.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Throws where the answer ends before its end.
    func all(_ url: String) async throws {
        defer { told.finish() }
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .minutes(2))
        for try await part in response.body {
            bytes += part.readableBytesView
            told.yield(bytes.count)
        }
    }
}
