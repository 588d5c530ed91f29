import Crypto
import Events
import Flow
import Hosts

/// Brings events to a server: one request a batch, in order within a run.
///
/// The body is `{"sink":…,"run":…,"first_seq":…,"last_seq":…,"events":[…]}`. Headers: `Idempotency-Key`, the same for the same events of a
/// run; `Weir-Timestamp`, seconds since 1970; where there is a secret `Weir-Signature: v1=<hex>`, HMAC-SHA256 over the timestamp, a full stop and the body.
/// A 2xx takes the batch; 408, 429, 5xx, a redirect and no answer mean later (`Retry-After` is honoured), and so do 401, 403, 404 and 410, which say
/// that the endpoint is not there or does not know us, and nothing of the events; any other 4xx refuses the batch.
/// At least once: an answer that was lost, or a crash before the mark, brings the batch again, perhaps cut otherwise. A receiver that must not count
/// twice remembers the last seq of each run.
struct WebhookWriter: SinkWriter {
    let target: WebhookTarget
    let endpoint: HostEndpoint
    let connections: HostConnections
    let timeout: Duration
    let wall: @Sendable () -> WallTime
    private let key: SymmetricKey?

    init(
        target: WebhookTarget, endpoint: HostEndpoint, connections: HostConnections, timeout: Duration, wall: @escaping @Sendable () -> WallTime
    ) {
        self.target = target
        self.endpoint = endpoint
        self.connections = connections
        self.timeout = timeout
        self.wall = wall
        key = target.secret.map { SymmetricKey(data: Array($0.utf8)) }
    }

    func deliver(_ batch: SinkBatch) async throws(DeliveryError) {
        let now = wall()
        let body = Self.body(batch)
        let post = HostPost(path: target.path, headers: headers(batch, body, now), body: body, timeout: timeout)
        let answer: HostPost.Answer
        do {
            answer = try await connections.post(post, to: endpoint, now: now)
        } catch {
            if error.code == .cancelled { throw DeliveryError(.cancelled, error.description) }
            throw DeliveryError(.transient(retryAfter: error.retryAfter), error.description)
        }
        if let error = Self.error(answer) { throw error }
    }

    func close() async { await connections.close() }

    /// What an answer means: nil where it took the batch.
    static func error(_ answer: HostPost.Answer) -> DeliveryError? {
        let text = "HTTP \(answer.status)" + (answer.excerpt.isEmpty ? "" : ": \(answer.excerpt)")
        switch answer.status {
        case 200..<300: return nil
        case 401, 403, 404, 408, 410, 429: return DeliveryError(.transient(retryAfter: answer.retryAfter), text)
        case 400..<500: return DeliveryError(.poison, text)
        default: return DeliveryError(.transient(retryAfter: answer.retryAfter), text)
        }
    }

    static func body(_ batch: SinkBatch) -> [UInt8] {
        var json = JSONWriter(reserving: batch.bytes + batch.items.count + 256)
        json.beginObject()
        json.member("sink", batch.sink.description)
        json.member("run", batch.run.description)
        json.member("first_seq", batch.firstSeq)
        json.member("last_seq", batch.lastSeq)
        json.key("events")
        json.beginArray()
        for item in batch.items { json.value(json: item.bytes) }
        json.endArray()
        json.endObject()
        return json.take()
    }

    static func idempotencyKey(_ batch: SinkBatch) -> String {
        // A rewind wants the events again: then it is another key.
        "\(batch.sink)/\(batch.run)/\(batch.firstSeq)-\(batch.lastSeq)" + (batch.epoch == 0 ? "" : "/\(batch.epoch)")
    }

    static func signature(_ body: [UInt8], timestamp: String, key: SymmetricKey) -> String {
        var code = HMAC<SHA256>(key: key)
        code.update(data: Array(timestamp.utf8))
        code.update(data: [UInt8(ascii: ".")])
        code.update(data: body)
        let digits = Array("0123456789abcdef".utf8)
        let hex = code.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "v1=" + String(decoding: hex, as: UTF8.self)
    }

    private func headers(_ batch: SinkBatch, _ body: [UInt8], _ now: WallTime) -> [(name: String, value: String)] {
        let timestamp = "\(now.microseconds / 1_000_000)"
        var headers = [
            ("Content-Type", "application/json"), ("User-Agent", "weir"), ("Idempotency-Key", Self.idempotencyKey(batch)),
            ("Weir-Timestamp", timestamp),
        ]
        if let key { headers.append(("Weir-Signature", Self.signature(body, timestamp: timestamp, key: key))) }
        return headers.map { (name: $0.0, value: $0.1) }
    }
}
