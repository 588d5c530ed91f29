import NIOCore
import Testing

@testable import Ingest

@Suite struct HeldFramesTests {
    @Test("a frame is found by its number, and numbers without one have none") func finds() {
        var frames = HeldFrames()
        for n: Int64 in [1, 2, 4, 7] { frames.append(ByteBuffer(string: "frame \(n)"), n: n) }
        for n: Int64 in 0...9 {
            #expect(frames[n].map { String(buffer: $0) } == ([1, 2, 4, 7].contains(n) ? "frame \(n)" : nil))
        }
    }

    @Test("what stands in front of a number is let go of, and nothing else") func releases() {
        var frames = HeldFrames()
        for n: Int64 in [1, 2, 4, 7] { frames.append(ByteBuffer(integer: n), n: n) }
        frames.release(before: 4)
        #expect(frames[2] == nil)
        #expect(frames[4] == ByteBuffer(integer: Int64(4)))
        frames.release(before: 8)
        #expect(frames.isEmpty)
    }

    @Test("a small part of a large read does not keep all of it, once it is made compact") func compacts() {
        var read = ByteBuffer(repeating: 7, count: 200_000)
        var frames = HeldFrames()
        if let part = read.readSlice(length: 5_000) { frames.append(part, n: 1) }
        read = ByteBuffer()
        #expect(frames[1]?.storageCapacity ?? 0 >= 200_000)
        frames.compact()
        #expect(frames[1] == ByteBuffer(repeating: 7, count: 5_000))
        #expect(frames[1]?.storageCapacity ?? .max <= 2 * 5_000 + 1024)
    }
}
