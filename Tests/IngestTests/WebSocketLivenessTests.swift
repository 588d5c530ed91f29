import Events
import Testing

@testable import Ingest

@Suite struct WebSocketLivenessTests {
    private func make(idle: Duration? = .seconds(100)) -> WebSocketLiveness {
        var options = WebSocketOptions()
        options.pingInterval = .seconds(10)
        options.pongTimeout = .seconds(5)
        options.idleLimit = idle
        return WebSocketLiveness(options: options, now: at(0))
    }

    private func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(sinceStart: .seconds(seconds)) }

    @Test("silence is answered with a ping, and no byte after it is the end") func deadPeer() {
        var liveness = make()
        #expect(liveness.tick(now: at(9)) == .none)
        #expect(liveness.tick(now: at(10)) == .sendPing)
        #expect(liveness.tick(now: at(14)) == .none)
        #expect(liveness.tick(now: at(15)) == .dead(.pongMissing))
    }

    @Test("any byte answers a ping") func anyByte() {
        var liveness = make()
        #expect(liveness.tick(now: at(10)) == .sendPing)
        liveness.receivedBytes(now: at(12))
        #expect(liveness.tick(now: at(16)) == .none)
        #expect(liveness.tick(now: at(22)) == .sendPing)
    }

    @Test("pongs keep a quiet connection, but not past the idle limit") func idle() {
        var liveness = make()
        for second in stride(from: 10, to: 100, by: 10) {
            #expect(liveness.tick(now: at(second)) == .sendPing)
            liveness.receivedBytes(now: at(second))
        }
        #expect(liveness.tick(now: at(100)) == .dead(.idle))
        var endless = make(idle: nil)
        endless.receivedBytes(now: at(100_000))
        #expect(endless.tick(now: at(100_001)) == .none)
        #expect(endless.tick(now: at(100_010)) == .sendPing)
    }

    @Test("a consumer that pauses is not taken for a dead peer") func paused() {
        var liveness = make()
        #expect(liveness.tick(now: at(10)) == .sendPing)
        liveness.reading(false, now: at(11))
        #expect(liveness.tick(now: at(15)) == .none)
        #expect(liveness.tick(now: at(500)) == .sendPing)
        #expect(liveness.tick(now: at(505)) == .none)
        liveness.reading(true, now: at(506))
        #expect(liveness.tick(now: at(516)) == .sendPing)
        #expect(liveness.tick(now: at(521)) == .dead(.pongMissing))
    }
}
