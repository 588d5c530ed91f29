/// An archive's parts as a faulty host sends them: dripping, with a silence in the middle, or cut off there.
///
/// Looks one part ahead: an archive that is shorter than the place of its fault has it in the middle of its last part.
actor FaultyParts {
    private let order: FaultOrder
    private let gate: ReplyGate?
    private let source: @Sendable () async throws -> [UInt8]?
    /// Read and not sent.
    private var pending: [UInt8] = []
    private var ahead: [UInt8]?
    private var hasBegun = false
    private var sent = 0
    /// How many bytes go out before the fault.
    private var place: Int?
    private var isPastFault = false

    init(_ order: FaultOrder, gate: ReplyGate?, source: @escaping @Sendable () async throws -> [UInt8]?) {
        self.order = order
        self.gate = gate
        self.source = source
    }

    func part() async throws -> ReplyPart? {
        if pending.isEmpty, !(try await advance()) { return nil }
        if order.kind == .hostSlow { return .bytes(try await drip()) }
        if isPastFault { return .bytes(take(pending.count)) }
        var place = self.place ?? (order.bytes > 0 ? order.bytes : max(pending.count / 2, 1))
        if ahead == nil, sent + pending.count <= place { place = sent + pending.count / 2 }
        self.place = place
        return sent < place ? .bytes(take(min(pending.count, place - sent))) : fault()
    }

    private func fault() -> ReplyPart {
        isPastFault = true
        return gate.map { .silence($0) } ?? .cut
    }

    private func drip() async throws -> [UInt8] {
        try await Task.sleep(for: .seconds(order.seconds))
        return take(order.bytes == 0 ? 1_024 : order.bytes)
    }

    private func take(_ count: Int) -> [UInt8] {
        let bytes = Array(pending.prefix(count))
        pending.removeFirst(bytes.count)
        sent += bytes.count
        return bytes
    }

    /// False at the end.
    private func advance() async throws -> Bool {
        if !hasBegun {
            hasBegun = true
            ahead = try await source()
        }
        guard let next = ahead else { return false }
        pending = next
        ahead = try await source()
        return true
    }
}
