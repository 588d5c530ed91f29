import Foundation
import NIOCore
import Synchronization
import TestSupport

/// Somebody's webhook server, whose trouble changes while it is called.
final class SinkEndpoint: Sendable {
    enum Trouble: String, Sendable {
        case none
        /// Nobody listens.
        case refuses
        /// Takes the events, and never answers.
        case hangs
        case fails
        /// Takes the events, and answers when nobody waits any more.
        case answersLate
        /// Takes the events, says so, and hangs up.
        case answersAndDies
    }

    private let state = Mutex<(trouble: Trouble, isMended: Bool)>((.none, false))

    func set(_ trouble: Trouble) { state.withLock { $0.trouble = trouble } }

    /// It takes now what it refused as poison.
    func mend() { state.withLock { $0.isMended = true } }

    /// For a sink with a time-out of a second. An event with `"bad":true` in its payload is poison until ``mend()``.
    func answer(_ call: WebhookReceiver.Call) -> WebhookReceiver.Answer {
        let (trouble, isMended) = state.withLock { $0 }
        switch trouble {
        case .none, .refuses:
            let isPoison = !isMended && String(decoding: call.body, as: UTF8.self).contains(#""bad":true"#)
            return .status(isPoison ? 422 : 200)
        case .hangs: return .hang
        case .fails: return .status(500)
        case .answersLate: return .after(.seconds(2), 200)
        case .answersAndDies: return .statusThenClose(200)
        }
    }
}
