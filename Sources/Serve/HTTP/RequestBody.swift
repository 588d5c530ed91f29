import Events
import NIOCore

/// A request's body as it comes, within its bound and that of all bodies together.
///
/// Whoever has one ends it with ``end()``: until then its bytes count.
struct RequestBody {
    /// Why nothing more is taken.
    enum Refusal: Hashable { case tooLarge, noRoom }

    let work: @Sendable ([UInt8]) async -> HTTPReply
    /// The run that the request changes.
    let run: RunID?
    let since: NIODeadline
    private(set) var bytes: [UInt8] = []
    private let bytesMax: Int
    private let budget: BodyBudget
    private var taken = 0

    init(work: @escaping @Sendable ([UInt8]) async -> HTTPReply, run: RunID?, bytesMax: Int, budget: BodyBudget, since: NIODeadline) {
        self.work = work
        self.run = run
        self.bytesMax = bytesMax
        self.budget = budget
        self.since = since
    }

    mutating func append(_ buffer: ByteBuffer) -> Refusal? {
        guard bytes.count + buffer.readableBytes <= bytesMax else { return .tooLarge }
        guard budget.take(buffer.readableBytes) else { return .noRoom }
        taken += buffer.readableBytes
        bytes.append(contentsOf: buffer.readableBytesView)
        return nil
    }

    /// Its bytes no longer count.
    mutating func end() {
        budget.give(taken)
        taken = 0
        bytes = []
    }
}
