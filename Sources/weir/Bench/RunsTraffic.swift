import Events

/// Events of applications' runs as JSON, and as rows of the log: the same at each start.
struct RunsTraffic: Sendable {
    /// Events of one request.
    static let batch = 100
    static let payloadBytes = 200

    var withKeys: Bool

    /// The body of a request: the `number`th batch of a run.
    func body(run: Int, number: Int) -> [UInt8] {
        var json = JSONWriter(reserving: Self.batch * (Self.payloadBytes + 160))
        json.beginArray()
        for index in 0..<Self.batch {
            json.beginObject()
            json.member("type", "order.changed")
            if withKeys {
                json.member("key", "order-\((number &* 31 &+ index &* 7) % 1000)")
                json.member("dedup_key", "\(number)-\(index)")
            }
            json.member("payload", json: Self.payload(run: run, number: number * Self.batch + index))
            json.endObject()
        }
        json.endArray()
        return json.take()
    }

    /// An object of ``payloadBytes`` bytes.
    static func payload(run: Int, number: Int) -> [UInt8] {
        let head = Array(#"{"run":\#(run),"number":\#(number),"text":""#.utf8)
        let fill = (0..<max(0, payloadBytes - head.count - 2)).map { UInt8(ascii: "a") + UInt8(($0 &+ number) % 26) }
        return head + fill + Array("\"}".utf8)
    }
}
