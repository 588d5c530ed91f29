internal import Events

/// The input of a COPY, with a crash point behind its first chunk: what was given is sent by then, and the COPY is still open.
struct SeamedChunks: Sequence, Sendable {
    let chunks: [[UInt8]]
    let seams: FaultSeams

    struct Iterator: IteratorProtocol {
        private let chunks: [[UInt8]]
        private let seams: FaultSeams
        private var index = 0

        init(_ source: SeamedChunks) {
            chunks = source.chunks
            seams = source.seams
        }

        mutating func next() -> [UInt8]? {
            if index == 1 { seams.reached(.workMidCopy) }
            defer { index += 1 }
            return index < chunks.count ? chunks[index] : nil
        }
    }

    func makeIterator() -> Iterator { Iterator(self) }
}
