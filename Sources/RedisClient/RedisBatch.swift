public import NIOCore

/// Commands that travel together: encoded as they are added, sent in one write, answered by one array of as many replies.
///
/// A batch is no transaction: Redis may run some of its commands and refuse others, and the connection may end between two of them.
public struct RedisBatch: Sendable {
    /// The commands in RESP, one after the other.
    public private(set) var buffer: ByteBuffer
    /// How many commands there are, and so how many replies are expected.
    public private(set) var count = 0
    /// The name of the first command, for messages.
    public private(set) var label = ""

    /// - Parameter capacityBytes: what to reserve for the encoded commands.
    public init(capacityBytes: Int = 0) { buffer = ByteBufferAllocator().buffer(capacity: capacityBytes) }

    public init(_ commands: RedisCommand...) { self.init(commands) }

    public init(_ commands: [RedisCommand]) {
        self.init()
        for command in commands { append(command) }
    }

    public var isEmpty: Bool { count == 0 }

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
        var writer = Writer(buffer: buffer)
        // The writer's copy must be the only one, or each write would copy the storage.
        buffer = ByteBuffer()
        writer.writeLine(UInt8(ascii: "*"), argumentCount + 1)
        writer.write(name)
        write(&writer)
        precondition(writer.argumentCount == argumentCount + 1, "\(name): \(writer.argumentCount - 1) arguments instead of \(argumentCount)")
        buffer = writer.buffer
    }

    /// The encoding of some arguments, for ``Writer/write(encoded:argumentCount:)``.
    public static func encode(_ write: (inout Writer) -> Void) -> ByteBuffer {
        var writer = Writer(buffer: ByteBuffer())
        write(&writer)
        return writer.buffer
    }

    /// Writes the arguments of one command.
    public struct Writer {
        fileprivate var buffer: ByteBuffer
        fileprivate var argumentCount = 0

        fileprivate init(buffer: ByteBuffer) { self.buffer = buffer }

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

        public mutating func write(_ value: some FixedWidthInteger) { write(String(value)) }

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
            buffer.writeInteger(marker)
            buffer.writeString(String(number))
            buffer.writeStaticString("\r\n")
        }
    }
}
