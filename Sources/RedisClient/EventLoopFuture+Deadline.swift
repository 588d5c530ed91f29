import NIOCore

extension EventLoopFuture where Value: Sendable {
    /// Waits for the value until the deadline or the task's cancellation; a value that comes later is given to `discard`.
    ///
    /// The future must fail with ``RedisError`` only.
    func value(by deadline: NIODeadline, place: String, discard: @escaping @Sendable (Value) -> Void = { _ in }) async throws(RedisError) -> Value {
        let promise = eventLoop.makePromise(of: Value.self)
        let timer = eventLoop.scheduleTask(deadline: deadline) {
            promise.fail(RedisError(code: .timedOut, message: "no connection in time", place: place))
        }
        let handedOver = NIOLoopBoundBox<Bool>.makeBoxSendingValue(false, eventLoop: eventLoop)
        promise.futureResult.whenComplete { _ in handedOver.value = true }
        whenComplete { result in
            if handedOver.value, case .success(let late) = result { discard(late) }
            promise.completeWith(result)
        }
        defer { timer.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                promise.fail(RedisError(code: .cancelled, message: "cancelled while connecting", place: place))
            }
        } catch let error as RedisError {
            throw error
        } catch {
            throw RedisError(code: .connectFailed, message: "no connection", cause: "\(error)", place: place)
        }
    }
}
