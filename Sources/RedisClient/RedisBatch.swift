public import NIOCore

/// Commands that travel together: encoded as they are added, sent in one write, answered by one array of as many replies.
///
/// A batch is no transaction: Redis may run some of its commands and refuse others, and the connection may end between two of them.
///
/// Large arguments may be handed over as they are (``Writer/write(shared:)``): they are sent from where they lie, and kept alive until then.
public struct RedisBatch: Sendable {
    /// An argument that is not copied, and the place in ``encoded`` where it belongs.
    fileprivate struct Insert: Sendable {
        let offset: Int
        let bytes: ByteBuffer
    }

    /// The commands in RESP, one after the other, without the shared arguments.
    private var encoded: ByteBuffer
    /// In the order of their offsets.
    private var inserts: [Insert] = []
    private var insertedBytes = 0
    /// How many commands there are, and so how many replies are expected.
    public private(set) var count = 0
    /// The name of the first command, for messages.
    public private(set) var label = ""

    /// - Parameter capacityBytes: what to reserve for the encoded commands.
    public init(capacityBytes: Int = 0) { encoded = ByteBufferAllocator().buffer(capacity: capacityBytes) }

    public init(_ commands: RedisCommand...) { self.init(commands) }

    public init(_ commands: [RedisCommand]) {
        self.init()
        for command in commands { append(command) }
    }

    public var isEmpty: Bool { count == 0 }

    /// Of all commands, shared arguments among them.
    public var byteCount: Int { encoded.readableBytes + insertedBytes }

    /// The commands in RESP, one after the other, in one buffer: a copy where there are shared arguments.
    public var buffer: ByteBuffer {
        if inserts.isEmpty { return encoded }
        var joined = ByteBufferAllocator().buffer(capacity: byteCount)
        forEachPiece { joined.writeImmutableBuffer($0) }
        return joined
    }

    /// The same bytes piece by piece, nothing copied.
    func forEachPiece(_ body: (ByteBuffer) -> Void) {
        var rest = encoded
        var offset = 0
        for insert in inserts {
            if let piece = rest.readSlice(length: insert.offset - offset), piece.readableBytes > 0 { body(piece) }
            offset = insert.offset
            body(insert.bytes)
        }
        if rest.readableBytes > 0 { body(rest) }
    }

    public mutating func append(_ command: RedisCommand) { append(command.name, command.arguments) }

    public mutating func append(_ name: String, _ arguments: RedisArgument...) { append(name, arguments) }

    public mutating func append(_ name: String, _ arguments: [RedisArgument]) {
        append(name, argumentCount: arguments.count) { writer in
            for argument in arguments { writer.write(argument) }
        }
    }

    /// Adds a command whose arguments are written one by one, without an array in between.
    ///
    /// `write` must write exactly `argumentCount` arguments (the name is not one of them): anything else would be read as other commands,
    /// so it is a programmer's error that ends the process.
    public mutating func append(_ name: String, argumentCount: Int, _ write: (inout Writer) -> Void) {
        if count == 0 { label = name }
        count += 1
        var writer = Writer(buffer: encoded, inserts: inserts)
        // The writer's copies must be the only ones, or each write would copy the storage.
        encoded = ByteBuffer()
        inserts = []
        writer.writeLine(UInt8(ascii: "*"), argumentCount + 1)
        writer.write(name)
        write(&writer)
        precondition(writer.argumentCount == argumentCount + 1, "\(name): \(writer.argumentCount - 1) arguments instead of \(argumentCount)")
        encoded = writer.buffer
        inserts = writer.inserts
        insertedBytes += writer.insertedBytes
    }

    /// The encoding of some arguments, for ``Writer/write(encoded:argumentCount:)``.
    public static func encode(_ write: (inout Writer) -> Void) -> ByteBuffer {
        var writer = Writer(buffer: ByteBuffer(), inserts: [])
        write(&writer)
        precondition(writer.inserts.isEmpty, "what is encoded for many commands shares nothing")
        return writer.buffer
    }

    /// Writes the arguments of one command.
    public struct Writer {
        /// A smaller argument costs less to copy than to send on its own.
        private static let sharedBytesMin = 1024

        fileprivate var buffer: ByteBuffer
        fileprivate var inserts: [Insert]
        fileprivate var insertedBytes = 0
        fileprivate var argumentCount = 0

        fileprivate init(buffer: ByteBuffer, inserts: [Insert]) {
            self.buffer = buffer
            self.inserts = inserts
        }

        public mutating func write(_ argument: RedisArgument) {
            switch argument {
            case .string(let value): write(value)
            case .bytes(let value): write(value)
            case .buffer(let value): write(value)
            case .integer(let value): write(value)
            }
        }

        public mutating func write(_ value: String) {
            begin(value.utf8.count)
            buffer.writeString(value)
            end()
        }

        public mutating func write(_ value: StaticString) {
            begin(value.utf8CodeUnitCount)
            buffer.writeStaticString(value)
            end()
        }

        public mutating func write(_ value: [UInt8]) {
            begin(value.count)
            buffer.writeBytes(value)
            end()
        }

        public mutating func write(_ value: ByteBuffer) {
            begin(value.readableBytes)
            buffer.writeImmutableBuffer(value)
            end()
        }

        /// The same bytes as ``write(_:)-(ByteBuffer)``, sent from the argument's own storage where it is large: that stays alive until the batch is done.
        public mutating func write(shared value: ByteBuffer) {
            guard value.readableBytes >= Self.sharedBytesMin else { return write(value) }
            begin(value.readableBytes)
            inserts.append(Insert(offset: buffer.writerIndex, bytes: value))
            insertedBytes += value.readableBytes
            end()
        }

        public mutating func write(_ value: some FixedWidthInteger) {
            argumentCount += 1
            DecimalLine(argument: value).withBytes { _ = buffer.writeBytes($0) }
        }

        /// Arguments that were encoded before, for what is the same in many commands: `argumentCount` times `$<bytes>\r\n<argument>\r\n`.
        public mutating func write(encoded: ByteBuffer, argumentCount count: Int) {
            argumentCount += count
            buffer.writeImmutableBuffer(encoded)
        }

        public mutating func write(encoded: StaticString, argumentCount count: Int) {
            argumentCount += count
            buffer.writeStaticString(encoded)
        }

        private mutating func begin(_ byteCount: Int) {
            argumentCount += 1
            writeLine(UInt8(ascii: "$"), byteCount)
        }

        private mutating func end() { buffer.writeStaticString("\r\n") }

        fileprivate mutating func writeLine(_ marker: UInt8, _ number: Int) {
            DecimalLine(marker, number).withBytes { _ = buffer.writeBytes($0) }
        }
    }
}

/// A number in decimal as a line of RESP, made on the stack and from its end: an append writes some twenty for each entry.
private struct DecimalLine {
    // Marker and length of two digits, both line ends, sign and 19 digits: 27.
    private static let capacity = 32

    private var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var start = DecimalLine.capacity

    /// `<marker><number>\r\n`, the number not negative.
    init(_ marker: UInt8, _ number: Int) {
        prependLineEnd()
        prepend(number.magnitude)
        prepend(marker)
    }

    /// `$<length>\r\n<value>\r\n`.
    init(argument value: some FixedWidthInteger) {
        prependLineEnd()
        let end = start
        prepend(UInt(value.magnitude))
        if value < 0 { prepend(UInt8(ascii: "-")) }
        let count = UInt(end - start)
        prependLineEnd()
        prepend(count)
        prepend(UInt8(ascii: "$"))
    }

    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeBytes(of: bytes) { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    private mutating func prepend(_ number: UInt) {
        var rest = number
        repeat {
            prepend(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
    }

    private mutating func prependLineEnd() {
        prepend(UInt8(ascii: "\n"))
        prepend(UInt8(ascii: "\r"))
    }

    @inline(__always)
    private mutating func prepend(_ byte: UInt8) {
        start -= 1
        let place = start
        withUnsafeMutableBytes(of: &bytes) { $0[place] = byte }
    }
}
