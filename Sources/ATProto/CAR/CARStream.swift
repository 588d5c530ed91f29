/// Reads a CAR, version 1, that arrives in chunks of any size, and lends its blocks one after the other.
///
/// The same rules as ``CARReader``'s, and bounds beside them, since the length of the whole is not known: ``Limits/carHeaderBytes``,
/// ``Limits/blockBytes``. A length above its bound is refused as soon as it is there, before anything is kept for it. What is kept between two
/// chunks is at most one section that is not whole yet, as far as it has come. Each block's digest is compared with its CID.
///
/// Errors are `car`, `cid` and `tooLarge`, with offsets into the whole archive. After one every call throws it again.
public struct CARStream: Sendable {
    /// The roots; empty until the header is there.
    public private(set) var roots: [CID] = []
    /// How many bytes have come.
    public private(set) var count = 0
    private let isVerifying: Bool
    /// The first bytes of a header or section, which begins at `count - rest.count` of the archive.
    private var rest: [UInt8] = []
    /// How many of its bytes must be there before `rest` is looked at again; more than it has.
    private var wanted = 1
    private var failure: FormatError?

    /// - Parameter verifying: false believes each CID, as ``BlockIndex`` does where it is told so.
    public init(verifying: Bool = true) { isVerifying = verifying }

    /// Takes the next bytes. `block` is called for each block that is whole with them: its CID, the offset of its data in the whole archive, and its
    /// data, which are valid during the call.
    public mutating func push(
        _ chunk: UnsafeRawBufferPointer, _ block: (CID, Int, UnsafeRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) {
        if let failure { throw failure }
        do throws(FormatError) {
            try take(chunk, block)
            count += chunk.count
        } catch {
            failure = error
            throw error
        }
    }

    /// The same with an array.
    public mutating func push(
        _ chunk: [UInt8], _ block: (CID, Int, UnsafeRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) {
        try chunk.withRaw { bytes throws(FormatError) in try push(bytes, block) }
    }

    /// Says that nothing comes after this; throws `car` where a header or section is not whole.
    public mutating func finish() throws(FormatError) {
        if let failure { throw failure }
        guard !roots.isEmpty, rest.isEmpty else {
            let error = FormatError(
                .car, roots.isEmpty ? "an archive that ends in its header" : "a section that is cut off", offset: count - rest.count)
            failure = error
            throw error
        }
    }

    private mutating func take(
        _ chunk: UnsafeRawBufferPointer, _ block: (CID, Int, UnsafeRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) {
        var position = 0
        while !rest.isEmpty {
            let more = min(wanted - rest.count, chunk.count - position)
            rest.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[position..<(position + more)]))
            position += more
            guard rest.count == wanted else { return }
            let start = count + position - rest.count
            let piece = try rest.withRaw { buffer throws(FormatError) in
                let piece = try self.piece(buffer, at: 0, start: start)
                if case .block(let section) = piece { try lend(section, of: buffer, start: start, block) }
                return piece
            }
            if accept(piece) == nil { continue }
            // It held one piece and nothing behind it.
            rest.removeAll(keepingCapacity: rest.capacity <= Self.capacityKept)
        }
        while position < chunk.count {
            let piece = try piece(chunk, at: position, start: count)
            if case .block(let section) = piece { try lend(section, of: chunk, start: count, block) }
            guard let end = accept(piece) else {
                rest.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[position...]))
                return
            }
            position = end
        }
    }

    private static let capacityKept = 64 << 10

    private enum Piece {
        case header(roots: [CID], end: Int)
        case block(CARReader.Section)
        /// It is not whole, and will not be before so many of its bytes are there.
        case missing(wanted: Int)
    }

    /// Where the next piece begins; nil where this one is not whole.
    @inline(__always)
    private mutating func accept(_ piece: Piece) -> Int? {
        switch piece {
        case .header(let roots, let end):
            self.roots = roots
            return end
        case .block(let section): return section.range.upperBound
        case .missing(let wanted):
            self.wanted = wanted
            return nil
        }
    }

    /// Reads what begins at `position` of `buffer`, which itself begins at `start` of the archive.
    @inline(__always)
    private func piece(_ buffer: UnsafeRawBufferPointer, at position: Int, start: Int) throws(FormatError) -> Piece {
        do throws(FormatError) {
            var offset = position
            guard let length = try Varint.readIfWhole(buffer, at: &offset, end: buffer.count) else {
                return .missing(wanted: buffer.count - position + 1)
            }
            let limit = roots.isEmpty ? Limits.carHeaderBytes : CID.binaryLength + Limits.blockBytes
            guard length <= limit else {
                throw FormatError(.tooLarge, "a \(roots.isEmpty ? "header" : "section") of \(length) bytes; \(limit) are allowed", offset: position)
            }
            guard roots.isEmpty || length >= CID.binaryLength else { throw CARReader.foreign(position) }
            guard length <= buffer.count - offset else { return .missing(wanted: offset - position + length) }
            guard roots.isEmpty else { return .block(try CARReader.section(buffer, at: offset, length: length, start: position)) }
            let header = try CARReader.header(buffer, position..<(offset + length))
            return .header(roots: header.roots, end: header.end)
        } catch {
            throw error.moved(by: start)
        }
    }

    @inline(__always)
    private func lend(
        _ section: CARReader.Section, of buffer: UnsafeRawBufferPointer, start: Int,
        _ block: (CID, Int, UnsafeRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) {
        let data = UnsafeRawBufferPointer(rebasing: buffer[section.range])
        let offset = start + section.range.lowerBound
        guard !isVerifying || Digest(hashing: data) == section.cid.digest else {
            throw FormatError(.cid, "a block whose digest is not its CID's", offset: offset)
        }
        try block(section.cid, offset, data)
    }
}
