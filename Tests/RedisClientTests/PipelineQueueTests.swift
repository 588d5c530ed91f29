import Testing

@testable import RedisClient

@Suite struct PipelineQueueTests {
    private typealias Queue = PipelineQueue<Void>

    private func entry(_ id: UInt64, commands: Int = 1, bytes: Int = 10) -> Queue.Entry {
        .init(id: id, commandCount: commands, byteCount: bytes, payload: ())
    }

    private func isWritten(_ action: Queue.SubmitAction) -> Bool {
        if case .write = action { return true }
        return false
    }

    @Test("replies go to the oldest batch until it has all of its own") func order() {
        var queue = Queue(batchesMax: 4, bytesMax: 100, waitingMax: 4)
        #expect(isWritten(queue.submit(entry(1, commands: 2))))
        #expect(isWritten(queue.submit(entry(2))))
        guard case .more = queue.received(.integer(1)) else { return #expect(Bool(false), "another action") }
        guard case .completed(let first, _) = queue.received(.integer(2)) else { return #expect(Bool(false), "another action") }
        #expect(first.id == 1 && first.answered == [.integer(1), .integer(2)])
        guard case .completed(let second, _) = queue.received(.null) else { return #expect(Bool(false), "another action") }
        #expect(second.id == 2)
        guard case .unsolicited = queue.received(.null) else { return #expect(Bool(false), "another action") }
    }

    @Test("a batch waits while count or bytes are at their bound, and none overtakes it") func bounds() {
        var queue = Queue(batchesMax: 2, bytesMax: 100, waitingMax: 2)
        #expect(isWritten(queue.submit(entry(1, bytes: 90))))
        #expect(!isWritten(queue.submit(entry(2, bytes: 20))))
        #expect(!isWritten(queue.submit(entry(3, bytes: 1))))
        guard case .refuse(let refused) = queue.submit(entry(4)) else { return #expect(Bool(false), "another action") }
        #expect(refused.id == 4)
        guard case .completed(_, let next) = queue.received(.null) else { return #expect(Bool(false), "another action") }
        #expect(next.map(\.id) == [2, 3])
    }

    @Test("a batch that is cut off says what was answered, and those behind it that nothing was") func cutOff() {
        var queue = Queue(batchesMax: 4, bytesMax: 100, waitingMax: 4)
        for id: UInt64 in 1...3 { #expect(isWritten(queue.submit(entry(id, commands: 2)))) }
        for value: Int64 in 1...3 { _ = queue.received(.integer(value)) }
        let left = queue.close().onWire
        #expect(left.map(\.id) == [2, 3])
        #expect(left.map(\.answered) == [[.integer(3)], []])
        guard case .unsolicited = queue.received(.null) else { return #expect(Bool(false), "another action") }
    }

    @Test("a batch larger than the bound goes alone") func large() {
        var queue = Queue(batchesMax: 2, bytesMax: 100, waitingMax: 2)
        #expect(isWritten(queue.submit(entry(1, bytes: 1000))))
        #expect(!isWritten(queue.submit(entry(2))))
    }

    @Test("giving up on a waiting batch drops it, on a sent one closes, on an answered one does nothing") func abandon() {
        var queue = Queue(batchesMax: 1, bytesMax: 100, waitingMax: 2)
        _ = queue.submit(entry(1))
        _ = queue.submit(entry(2))
        guard case .drop(let dropped) = queue.abandon(2) else { return #expect(Bool(false), "another action") }
        #expect(dropped.id == 2)
        guard case .close = queue.abandon(1) else { return #expect(Bool(false), "another action") }
        guard case .nothing = queue.abandon(9) else { return #expect(Bool(false), "another action") }
        let left = queue.close()
        #expect(left.onWire.map(\.id) == [1] && left.waiting.isEmpty)
        #expect(queue.isIdle)
    }
}
