import RedisClient

extension BrokerError {
    init(_ error: RedisError) {
        if let server = error.serverError {
            self.init(server, place: error.place)
            return
        }
        let code: Code =
            switch error.code {
            case .unexpectedReply: .corrupt
            case .invalidConfiguration, .serverError: .other
            case .connectFailed, .connectionClosed, .timedOut, .cancelled, .protocolViolation, .overloaded, .shutDown: .unavailable
            }
        self.init(code: code, message: error.description, place: error.place)
    }

    init(_ error: RedisServerError, place: String) {
        let code: Code =
            switch error.kind {
            case .oom: .outOfMemory
            case .readOnly, .loading, .unavailable: .notWritable
            case .xaddIDTooSmall: .idTooSmall
            case .wrongType: .corrupt
            case .noScript, .moved, .ask, .noAuth, .noPermission, .busyGroup, .noGroup, .noSuchKey, .other: .other
            }
        self.init(code: code, message: error.message, place: place)
    }
}

extension RedisClient {
    /// Sends a batch; its failure as a whole is the broker's.
    func brokered(_ batch: RedisBatch, affinity: Int? = nil) async throws(BrokerError) -> [RedisValue] {
        do {
            return try await send(batch, affinity: affinity)
        } catch {
            throw BrokerError(error)
        }
    }
}

extension RedisConnection {
    func brokered(_ batch: RedisBatch, timeout: Duration? = nil) async throws(BrokerError) -> [RedisValue] {
        do {
            return try await send(batch, timeout: timeout)
        } catch {
            throw BrokerError(error)
        }
    }
}

/// Runs what reads replies: a reply of another shape is `corrupt`, a server's error what it is, both at `place`.
func brokered<Value>(at place: String, _ body: () throws(RedisError) -> Value) throws(BrokerError) -> Value {
    do {
        return try body()
    } catch {
        var failure = BrokerError(error)
        failure.place = place
        throw failure
    }
}
