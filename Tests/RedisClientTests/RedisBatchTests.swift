import NIOCore
import RedisClient
import Testing

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
}
