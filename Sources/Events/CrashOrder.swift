/// At which point a process is to die or to stop, and at which time that it is reached: `work.before-commit:stop:3`.
///
/// Written `point`, `point:action`, `point:count` or `point:action:count`; the action is `kill` and the count 1 where they are left out.
public struct CrashOrder: Hashable, Sendable, CustomStringConvertible {
    public enum Action: String, Hashable, Sendable, CaseIterable {
        /// SIGKILL: nothing is flushed, closed or given back.
        case kill
        /// SIGSTOP: everything stays as it is, until somebody sends SIGCONT.
        case stop

        public var signalName: String {
            switch self {
            case .kill: "SIGKILL"
            case .stop: "SIGSTOP"
            }
        }
    }

    public var point: CrashPoint
    public var action: Action
    /// 1: the first time that the process reaches the point. It happens once.
    public var count: Int

    public static let counts = 1...1_000_000

    public init(_ point: CrashPoint, _ action: Action = .kill, count: Int = 1) {
        self.point = point
        self.action = action
        self.count = count
    }

    /// Why a text is no order: what is allowed.
    public struct NotAnOrder: Error, Hashable, Sendable {
        public var message: String
    }

    public init(_ text: String) throws(NotAnOrder) {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)[...]
        let name = parts.popFirst() ?? ""
        guard let point = CrashPoint(rawValue: name) else {
            let all = CrashPoint.allCases.map(\.rawValue).joined(separator: ", ")
            throw NotAnOrder(message: "there is no crash point \"\(name)\"; allowed are \(all)")
        }
        self.init(point)
        if let action = parts.first.flatMap(Action.init(rawValue:)) {
            self.action = action
            parts.removeFirst()
        }
        if let count = parts.first.flatMap(Int.init), Self.counts.contains(count) {
            self.count = count
            parts.removeFirst()
        }
        guard parts.isEmpty else {
            let actions = Action.allCases.map(\.rawValue).joined(separator: " or ")
            let range = "\(Self.counts.lowerBound) to \(Self.counts.upperBound)"
            throw NotAnOrder(message: "after the point an action (\(actions)) and a count (\(range)) are allowed, as \(name):stop:3")
        }
    }

    public var description: String { "\(point.rawValue):\(action.rawValue):\(count)" }
}
