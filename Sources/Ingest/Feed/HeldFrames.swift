import NIOCore

/// The frames of one shard's entries that Redis did not acknowledge yet, by their `n`.
///
/// Slices of what the socket brought, which live as long as any of their neighbours is held. While appends succeed, neighbours leave together. Where
/// one shard is refused and the others go on, its frames would hold all that came between them: ``compact()`` gives each a storage of its own.
struct HeldFrames {
    private var frames = CircularBuffer<(n: Int64, frame: ByteBuffer)>()

    var isEmpty: Bool { frames.isEmpty }

    /// `n` rises from call to call.
    mutating func append(_ frame: ByteBuffer, n: Int64) { frames.append((n, frame)) }

    /// Nil for an entry without a frame.
    subscript(n: Int64) -> ByteBuffer? {
        var (low, high) = (0, frames.count)
        while low < high {
            let middle = (low + high) / 2
            if frames[offset: middle].n < n { low = middle + 1 } else { high = middle }
        }
        return low < frames.count && frames[offset: low].n == n ? frames[offset: low].frame : nil
    }

    /// Lets go of what stands in front of `n`.
    mutating func release(before n: Int64) {
        while let first = frames.first, first.n < n { frames.removeFirst() }
    }

    /// Copies each frame that holds more than twice its own bytes.
    mutating func compact() {
        for place in frames.indices where frames[place].frame.storageCapacity > 2 * frames[place].frame.readableBytes + 1024 {
            frames[place].frame = ByteBuffer(bytes: frames[place].frame.readableBytesView)
        }
    }
}
