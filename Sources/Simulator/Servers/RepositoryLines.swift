/// `GET /sim/repositories` in parts of about 64 KB: a line for each account, however large.
actor RepositoryLines {
    private static let partBytes = 64 << 10

    private let network: SimulatedNetwork
    private var place = 0
    private var current: RepositoryHolding?
    /// Of the current account's entries the next to write.
    private var entry = 0

    init(network: SimulatedNetwork) { self.network = network }

    /// Nil after the last account.
    func part() async throws -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.partBytes + 4_096)
        while bytes.count < Self.partBytes {
            if current == nil {
                guard let next = try await network.holding(place) else { break }
                place += 1
                entry = 0
                current = next
                bytes += next.lineHead.utf8
            }
            write(into: &bytes)
        }
        return bytes.isEmpty ? nil : bytes
    }

    private func write(into bytes: inout [UInt8]) {
        let entries = current?.repository?.entries ?? []
        while entry < entries.count {
            guard bytes.count < Self.partBytes else { return }
            if entry > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += "\"\(entries[entry].path)\":\"\(entries[entry].cid)\"".utf8
            entry += 1
        }
        bytes += "}}\n".utf8
        current = nil
    }
}
