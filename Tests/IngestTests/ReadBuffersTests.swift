import NIOCore
import Testing

@testable import Ingest

@Suite struct ReadBuffersTests {
    /// What one read leaves behind: a slice of a buffer that has been on its way through the pipeline.
    private func read(_ buffers: ReadBuffers, _ text: String) -> ByteBuffer {
        var buffer = buffers.buffer(allocator: ByteBufferAllocator())
        #expect(buffer.readableBytes == 0 && buffer.writableBytes == ReadBuffers.bufferBytes)
        buffer.writeString(text)
        _ = buffers.keep(buffer)
        return buffer
    }

    private func address(_ buffer: ByteBuffer) -> Int { buffer.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) } }

    @Test("a buffer that nobody holds is read into again") func reuses() {
        let buffers = ReadBuffers(bytesMax: 1 << 20)
        let first = address(read(buffers, "one"))
        #expect(address(read(buffers, "two")) == first)
    }

    @Test("a buffer of which somebody holds a part is left as it is") func spares() {
        let buffers = ReadBuffers(bytesMax: 1 << 20)
        let held = read(buffers, "one").getSlice(at: 1, length: 2)
        let next = (0..<8).map { read(buffers, "number \($0)") }
        #expect(held == ByteBuffer(string: "ne"))
        #expect(next.enumerated().allSatisfy { String(buffer: $1) == "number \($0)" })
    }

    @Test("no more than the bound is kept, and what is above it must be copied until something is let go of") func bounded() {
        let buffers = ReadBuffers(bytesMax: 2 * ReadBuffers.bufferBytes)
        var held = (0..<2).map { read(buffers, "number \($0)") }
        #expect(buffers.keptBytes == 2 * ReadBuffers.bufferBytes)
        #expect(!buffers.keep(ByteBuffer(string: "of TLS")))
        #expect(buffers.keptBytes == 2 * ReadBuffers.bufferBytes)
        held.removeFirst()
        #expect(buffers.keep(ByteBuffer(string: "of TLS")))
        #expect(buffers.keptBytes < 2 * ReadBuffers.bufferBytes)
        #expect(held == [ByteBuffer(string: "number 1")])
    }
}
