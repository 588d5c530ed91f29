import NIOCore

/// One connection's end of the channel: writes batches, parses replies, hands them to whoever waits. Lives on the event loop.
final class RedisChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Who waits for the replies of a batch.
    enum Waiter {
        case task(CheckedContinuation<Result<[RedisValue], RedisError>, Never>)
        case promise(EventLoopPromise<[RedisValue]>)

        func resume(_ result: Result<[RedisValue], RedisError>) {
            switch self {
            case .task(let continuation): continuation.resume(returning: result)
            case .promise(let promise): promise.completeWith(result.mapError { $0 })
            }
        }
    }

    struct Request {
        let batch: RedisBatch
        let waiter: Waiter
        let timer: Scheduled<Void>
    }

    typealias Queue = PipelineQueue<Request>

    private let address: String
    private let joinsPieces: Bool
    private let parser: ReplyParser
    private var queue: Queue
    private var context: ChannelHandlerContext?
    private var end: RedisError?

    init(configuration: RedisConfiguration) {
        address = configuration.address.description
        joinsPieces = configuration.tls != .disabled
        parser = ReplyParser(replyBytesMax: configuration.replyBytesMax)
        queue = Queue(
            batchesMax: max(configuration.inFlightBatchesMax, 1), bytesMax: configuration.inFlightBytesMax,
            waitingMax: configuration.waitingBatchesMax)
    }

    // MARK: Batches

    func submit(_ batch: RedisBatch, id: UInt64, deadline: NIODeadline, _ waiter: Waiter) {
        if let end {
            waiter.resume(.failure(error(end.code, end.message, of: batch, cause: end.cause)))
            return
        }
        guard let context else {
            waiter.resume(.failure(error(.connectionClosed, "not connected", of: batch)))
            return
        }
        let timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            guard let self else { return }
            abandon(id, .timedOut, "no answer in time")
        }
        let request = Request(batch: batch, waiter: waiter, timer: timer)
        switch queue.submit(.init(id: id, commandCount: batch.count, byteCount: batch.byteCount, payload: request)) {
        case .write(let entry):
            write(entry.payload.batch, context)
            context.flush()
        case .wait: break
        case .refuse(let entry): finish(entry, .failure(error(.overloaded, "too many batches wait", of: batch)))
        }
    }

    /// Over TLS as one buffer: pieces would become records of their own.
    private func write(_ batch: RedisBatch, _ context: ChannelHandlerContext) {
        if joinsPieces {
            context.write(wrapOutboundOut(batch.buffer), promise: nil)
        } else {
            batch.forEachPiece { context.write(wrapOutboundOut($0), promise: nil) }
        }
    }

    /// The waiter is gone or out of time: drops a batch that was not sent, else ends the connection.
    func abandon(_ id: UInt64, _ code: RedisError.Code, _ message: String) {
        switch queue.abandon(id) {
        case .nothing: break
        case .drop(let entry):
            finish(entry, .failure(error(code, "\(message), and it was not sent", of: entry.payload.batch)))
        case .close:
            fail(.init(code: .connectionClosed, message: "closed, since another batch of it was given up: \(message)"), culprit: (id, code, message))
        }
    }

    func close() { fail(.init(code: .connectionClosed, message: "closed by this side")) }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(.init(code: .connectionClosed, message: "closed"))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard end == nil else { return }
        do {
            try parser.feed(unwrapInboundIn(data)) { value in
                take(value, context)
                return end == nil
            }
        } catch {
            fail(.init(code: .protocolViolation, message: "not a reply of Redis: \(error.message)"))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.init(code: .connectionClosed, message: "the connection ended"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(.init(code: .connectionClosed, message: "the connection failed", cause: "\(error)"))
    }

    private func take(_ value: RedisValue, _ context: ChannelHandlerContext) {
        switch queue.received(value) {
        case .more: break
        case .completed(let entry, let next):
            for entry in next { write(entry.payload.batch, context) }
            if !next.isEmpty { context.flush() }
            finish(entry, .success(entry.answered))
        case .unsolicited:
            // The last words of a server that refuses a connection (too many clients, protected mode) come without a question.
            let said = value.serverError?.message ?? "a reply to nothing"
            fail(.init(code: .protocolViolation, message: "unasked: \(said)"))
        }
    }

    // MARK: Ends

    private func fail(_ reason: RedisError, culprit: (id: UInt64, code: RedisError.Code, message: String)? = nil) {
        guard end == nil else { return }
        end = reason
        let (onWire, waiting) = queue.close()
        context?.close(promise: nil)
        for entry in onWire {
            let batch = entry.payload.batch
            var failure = error(reason.code, reason.message, of: batch, cause: reason.cause)
            if let culprit, culprit.id == entry.id { failure = error(culprit.code, culprit.message, of: batch) }
            failure.mayHaveExecuted = true
            failure.answered = entry.answered
            finish(entry, .failure(failure))
        }
        for entry in waiting { finish(entry, .failure(error(reason.code, reason.message, of: entry.payload.batch, cause: reason.cause))) }
    }

    private func finish(_ entry: Queue.Entry, _ result: Result<[RedisValue], RedisError>) {
        entry.payload.timer.cancel()
        entry.payload.waiter.resume(result)
    }

    private func error(_ code: RedisError.Code, _ message: String, of batch: RedisBatch, cause: String = "") -> RedisError {
        RedisError(code: code, message: message, cause: cause, place: "\(batch.label) \(address)")
    }
}
