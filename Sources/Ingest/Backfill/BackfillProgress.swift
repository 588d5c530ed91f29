import Events
import Flow
import Ledger

/// How far a pass is, as its run tells it.
struct BackfillProgress: Hashable, Sendable {
    var pass: Int
    var restarts: Int
    /// Pages are still read: how much there is in all is not known.
    var isListing: Bool
    var listed: Int64
    var counts: BackfillCounts
    var parkedHosts: Int64

    init(_ source: BackfillSource, counts: BackfillCounts, parkedHosts: Int64) {
        pass = source.pass
        restarts = source.restarts
        isListing = source.state == .listing
        listed = source.listed
        self.counts = counts
        self.parkedHosts = parkedHosts
    }

    /// Listed repositories of which nothing more is to come, whoever listed them first.
    var resolved: Int64 { max(0, listed - counts.open) }

    /// The body of a `progress` event. `eta_seconds` is there only once everything is listed and something moves.
    func body(_ rates: ProgressMeter.Rates) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("pass", pass)
        json.member("restarts", restarts)
        json.member("listing", isListing)
        json.member("listed", listed)
        json.member("resolved", resolved)
        json.member("done", counts.done)
        json.member("refused", counts.refused)
        json.member("failed", counts.dead)
        json.member("open", counts.open)
        json.member("failing", counts.failing)
        json.member("records", counts.records)
        json.member("bytes", counts.bytes)
        json.member("parked_hosts", parkedHosts)
        json.member("repos_per_second", json: Self.decimal(rates.items).utf8)
        json.member("records_per_second", json: Self.decimal(rates.records).utf8)
        json.member("bytes_per_second", json: Self.decimal(rates.bytes).utf8)
        if !isListing, let left = ProgressMeter.remaining(counts.open, at: rates.items) {
            json.member("eta_seconds", Int64((left / .seconds(1)).rounded()))
        }
        json.endObject()
        return json.take()
    }

    /// With one digit behind the point.
    private static func decimal(_ number: Double) -> String {
        let tenths = Int64(min(max(0, number), 1e15) * 10)
        return "\(tenths / 10).\(tenths % 10)"
    }
}
