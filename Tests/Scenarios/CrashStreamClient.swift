import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A client of the merged event stream, as a stranger would write one: keeps the last id that it saw, and goes on from there after every end.
///
/// Shares no code with the server. Between an end and the next try it waits to be told that the API is up again.
actor CrashStreamClient {
    /// What came, by run, in the order in which it came.
    private(set) var events: [String: [StreamedEvent]] = [:]
    /// What must never come.
    private(set) var complaints: [String] = []
    private(set) var connections = 0
    private(set) var count: Int64 = 0
    private let url: String
    private var lastID = ""
    private var waiting: [(count: Int64, continuation: CheckedContinuation<Void, Never>)] = []
    private let starts: AsyncStream<Void>
    private let started: AsyncStream<Void>.Continuation

    init(port: Int) {
        url = "http://127.0.0.1:\(port)/streams/firehose"
        (starts, started) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The API listens.
    nonisolated func apiIsUp() { started.yield() }

    /// Follows the stream until it is cancelled.
    func run() async {
        for await _ in starts {
            // However a connection ends: the next one goes on from the last id.
            do { try await follow() } catch {}
        }
        for (_, continuation) in waiting { continuation.resume() }
        waiting = []
    }

    /// Waits until so many events have come.
    func waitUntilReceived(_ number: Int64) async throws {
        if count < number, !Task.isCancelled { await withCheckedContinuation { waiting.append((number, $0)) } }
        try Task.checkCancellation()
    }

    private func follow() async throws {
        var request = HTTPClientRequest(url: lastID.isEmpty ? url + "?cursor=earliest" : url)
        if !lastID.isEmpty { request.headers.add(name: "Last-Event-ID", value: lastID) }
        let response = try await HTTPClient.shared.execute(request, deadline: .distantFuture)
        guard response.status == .ok else { return complaints.append("status \(response.status.code)") }
        connections += 1
        // A connection that ends in mid-event leaves a rest that is thrown away with it.
        var rest: [UInt8] = []
        for try await buffer in response.body {
            rest += buffer.readableBytesView
            while let end = Self.messageEnd(rest) {
                take(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeSubrange(..<(end + 2))
            }
        }
    }

    private static func messageEnd(_ bytes: [UInt8]) -> Int? {
        bytes.indices.dropLast().first { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A }
    }

    private func take(_ message: String) {
        var name = ""
        var data = ""
        var id: String?
        for line in message.split(separator: "\n") {
            if line.hasPrefix("id: ") { id = String(line.dropFirst(4)) }
            if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
            if line.hasPrefix("data: ") { data += line.dropFirst(6) }
        }
        if let id { lastID = id }
        guard !data.isEmpty else { return }
        guard ["record", "identity", "account", "sync"].contains(name), let event = StreamedEvent(json: data) else {
            return complaints.append("\(name): \(data.prefix(300))")
        }
        events[event.run, default: []].append(event)
        count += 1
        let ready = waiting.filter { $0.count <= count }
        waiting.removeAll { $0.count <= count }
        for (_, continuation) in ready { continuation.resume() }
    }
}
