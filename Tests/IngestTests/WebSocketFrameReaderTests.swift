import NIOCore
import TestSupport
import Testing

@testable import Ingest

@Suite struct WebSocketFrameReaderTests {
    private func read(_ bytes: ByteBuffer, in chunk: Int, limit: Int = 1_000) throws -> [WebSocketFrameReader.Output] {
        var reader = WebSocketFrameReader(messageBytesMax: limit)
        var bytes = bytes
        var outputs: [WebSocketFrameReader.Output] = []
        while let piece = bytes.readSlice(length: min(chunk, bytes.readableBytes)), piece.readableBytes > 0 {
            reader.receive(piece)
            while let output = try reader.next() { outputs.append(output) }
            #expect(reader.heldBytes <= limit + chunk + 10)
        }
        return outputs
    }

    private let every: [ByteBuffer] = [
        ServerFrame.data([]), ServerFrame.data([1, 2, 3]), ServerFrame.text("hello"), ServerFrame.data(Array(repeating: 7, count: 126)),
        ServerFrame.data([1], isFinal: false), ServerFrame.ping([9]), ServerFrame.data([2], opcode: 0, isFinal: false),
        ServerFrame.data([3], opcode: 0), ServerFrame.data(Array(repeating: 1, count: 1_001)),
        ServerFrame.data(Array(repeating: 1, count: 600), isFinal: false),
        ServerFrame.data(Array(repeating: 2, count: 600), opcode: 0, isFinal: false),
        ServerFrame.data([], opcode: 10), ServerFrame.data([5], opcode: 0), ServerFrame.data([4]), ServerFrame.close(code: 1012, reason: "bye"),
    ]
    private let expected: [WebSocketFrameReader.Output] = [
        .message(.binary(ByteBuffer())), .message(.binary(ByteBuffer(bytes: [1, 2, 3]))), .message(.text(ByteBuffer(string: "hello"))),
        .message(.binary(ByteBuffer(repeating: 7, count: 126))), .ping(ByteBuffer(bytes: [9])), .message(.binary(ByteBuffer(bytes: [1, 2, 3]))),
        .message(.oversize(bytes: 1_001)), .pong, .message(.oversize(bytes: 1_201)), .message(.binary(ByteBuffer(bytes: [4]))),
        .close(code: 1012, reason: "bye"),
    ]

    @Test("the same messages come out whatever the pieces the bytes arrive in", arguments: [1, 2, 3, 7, 64, 1_000, 1 << 20])
    func pieces(_ chunk: Int) throws {
        #expect(try read(ServerFrame.join(every), in: chunk) == expected)
    }

    /// A read of one message, in a buffer of this capacity.
    private func read(_ frame: ByteBuffer, capacity: Int) -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: capacity)
        bytes.writeImmutableBuffer(frame)
        return bytes
    }

    @Test("a message holds no more than twice what was read with it", arguments: [false, true]) func sparseRead(copies: Bool) throws {
        var reader = WebSocketFrameReader(messageBytesMax: 1 << 20)
        reader.copiesMessages = copies
        reader.receive(read(ServerFrame.data(Array(repeating: 5, count: 5_000)), capacity: 1 << 18))
        guard case .message(.binary(let payload))? = try reader.next() else {
            Issue.record("no message")
            return
        }
        #expect(payload == ByteBuffer(repeating: 5, count: 5_000))
        #expect(payload.storageCapacity <= 1 << 14)
    }

    @Test("messages leave as copies where slices would hold too much") func copies() throws {
        var reader = WebSocketFrameReader(messageBytesMax: 1 << 20)
        let frames = ServerFrame.join(Array(repeating: ServerFrame.data(Array(repeating: 5, count: 500)), count: 100))
        for isScarce in [false, true] {
            reader.copiesMessages = isScarce
            reader.receive(read(frames, capacity: frames.readableBytes))
            while case .message(.binary(let payload))? = try reader.next() {
                #expect(payload == ByteBuffer(repeating: 5, count: 500))
                #expect((payload.storageCapacity < 2_000) == isScarce)
            }
        }
    }

    @Test("a message within one read is a slice of it, and only the one on a seam of two reads is copied") func seams() throws {
        let frame = ServerFrame.data(Array(repeating: 5, count: 500))
        var bytes = ServerFrame.join(Array(repeating: frame, count: 8))
        let reads = [700, 1_000, 3, bytes.readableBytes - 1_703].compactMap { length in
            bytes.readSlice(length: length).map { ByteBuffer(bytes: $0.readableBytesView) }
        }
        var reader = WebSocketFrameReader(messageBytesMax: 1_000)
        for read in reads { reader.receive(read) }
        var inside = 0
        var messages = 0
        while case .message(.binary(let payload))? = try reader.next() {
            #expect(payload == ByteBuffer(repeating: 5, count: 500))
            messages += 1
            let isInside = reads.contains { read in
                read.withUnsafeReadableBytes { outer in
                    payload.withUnsafeReadableBytes { inner in
                        guard let start = inner.baseAddress, let first = outer.baseAddress else { return false }
                        return start >= first && start < first + outer.count
                    }
                }
            }
            if isInside { inside += 1 }
        }
        #expect(messages == 8)
        // Two of the three seams fall into one frame.
        #expect(inside == 6)
        #expect(reader.heldBytes == 0)
    }

    @Test("what is too large is not held, not even when it says so in its first bytes") func oversizeIsNotHeld() throws {
        var reader = WebSocketFrameReader(messageBytesMax: 1_000)
        reader.receive(ServerFrame.header(length: 1 << 40))
        for _ in 0..<100 {
            reader.receive(ByteBuffer(repeating: 0, count: 10_000))
            #expect(try reader.next() == nil)
            #expect(reader.heldBytes == 0)
        }
    }

    @Test(
        "broken framing is told apart",
        arguments: [
            ([0xC2, 0], .reservedBits), ([0x83, 0], .reservedOpcode), ([0x82, 0x81, 1, 2, 3, 4, 5], .maskedFrame), ([0x09, 0], .fragmentedControl),
            ([0x89, 126, 0, 126], .longControl), ([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], .lengthAboveLimit),
            ([0x80, 0], .continuationWithoutStart), ([0x02, 0, 0x82, 0], .messageInsideMessage), ([0x88, 1, 3], .closePayload),
        ] as [([UInt8], WebSocketViolation.Kind)])
    func violations(_ bytes: [UInt8], _ kind: WebSocketViolation.Kind) {
        #expect(throws: WebSocketViolation(kind: kind)) { _ = try read(ByteBuffer(bytes: bytes), in: 100) }
    }

    @Test("random bytes give messages or a violation and never more than what came") func randomBytes() {
        let seed = TestSeed("random WebSocket bytes")
        var generator = seed.generator()
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...64, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let outputs = (try? read(ByteBuffer(bytes: bytes), in: 5)) ?? []
            #expect(outputs.count <= bytes.count, "\(seed)")
        }
    }
}
