import NIOCore
import Testing

@testable import RedisClient

@Suite struct RedisBatchTests {
    @Test("commands are encoded as arrays of bulk strings, one after the other") func encodes() {
        var batch = RedisBatch()
        batch.append("SET", "k", .bytes([0, 13, 10]))
        batch.append("INCRBY", .buffer(ByteBuffer(string: "n")), -5)
        #expect(batch.count == 2)
        #expect(batch.label == "SET")
        #expect(String(buffer: batch.buffer) == "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\0\r\n\r\n*3\r\n$6\r\nINCRBY\r\n$1\r\nn\r\n$2\r\n-5\r\n")
    }

    @Test("lengths count bytes, not characters") func countsBytes() {
        #expect(String(buffer: RedisBatch(RedisCommand("é", "日本")).buffer) == "*2\r\n$2\r\né\r\n$6\r\n日本\r\n")
    }

    @Test("arguments written one by one give the same bytes") func writerIsTheSame() {
        var batch = RedisBatch()
        batch.append("A", argumentCount: 4) { writer in
            writer.write("x" as String)
            writer.write(7)
            writer.write(ByteBuffer(string: "y"))
            writer.write([1])
        }
        #expect(batch.buffer == RedisBatch(RedisCommand("A", "x", 7, "y", .bytes([1]))).buffer)
    }

    @Test("arguments that were encoded before give the same bytes") func encodedBefore() {
        let encoded = RedisBatch.encode { writer in
            writer.write("x" as String)
            writer.write(7)
        }
        var batch = RedisBatch()
        batch.append("A", argumentCount: 4) { writer in
            writer.write(encoded: encoded, argumentCount: 2)
            writer.write(encoded: "$1\r\ny\r\n", argumentCount: 1)
            writer.write([1])
        }
        #expect(batch.buffer == RedisBatch(RedisCommand("A", "x", 7, "y", .bytes([1]))).buffer)
    }

    @Test("an argument that is shared gives the same bytes, sent from where it lies where it is large", arguments: [0, 1, 1023, 1024, 70_000])
    func shared(bytes: Int) {
        let argument = ByteBuffer(repeating: 120, count: bytes)
        var batch = RedisBatch()
        var copied = RedisBatch()
        for number in 0..<3 {
            batch.append("A", argumentCount: 3) { writer in
                writer.write(number)
                writer.write(shared: argument)
                writer.write("after" as String)
            }
            copied.append("A", .integer(number), .buffer(argument), "after")
        }
        #expect(batch.buffer == copied.buffer)
        #expect(batch.byteCount == copied.buffer.readableBytes)
        var pieces: [ByteBuffer] = []
        batch.forEachPiece { pieces.append($0) }
        #expect(pieces.count == (bytes < 1024 ? 1 : 7))
        #expect(pieces.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) } == copied.buffer)
    }

    @Test("numbers are written in decimal", arguments: [0, 9, 10, -1, 1_234_567_890_123, Int64.max, Int64.min]) func decimal(number: Int64) {
        var batch = RedisBatch()
        batch.append("A", argumentCount: 1) { $0.write(number) }
        #expect(String(buffer: batch.buffer) == "*2\r\n$1\r\nA\r\n$\("\(number)".utf8.count)\r\n\(number)\r\n")
    }
}
