import Events
import NIOHTTP1

/// What is asked of sinks and of dead letters: `/sinks…` and `/dlq…`.
enum SinkRoute: Hashable, Sendable {
    case list
    case show(SinkName)
    /// `replaces`: a sink of the same name becomes what the body says.
    case create(replaces: Bool)
    case remove(SinkName)
    case change(SinkName, Change)
    case letters(sink: SinkName?, withSkipped: Bool, before: Int64?, limit: Int)
    case letter(Int64)
    case settle(Int64, Settlement)

    /// The raw values are the paths' last segments.
    enum Change: String, Hashable, Sendable, CaseIterable { case pause, resume, reset, rewind }
    enum Settlement: String, Hashable, Sendable, CaseIterable { case requeue, skip }

    /// In the order in which they are told. Where a path takes several, the router has chosen by the method already.
    var methods: [HTTPMethod] {
        switch self {
        case .list, .create: [.GET, .HEAD, .POST]
        case .show, .remove: [.GET, .HEAD, .DELETE]
        case .change, .settle: [.POST]
        case .letters, .letter: [.GET, .HEAD]
        }
    }

    /// Whether something is changed.
    var isOrder: Bool {
        switch self {
        case .list, .show, .letters, .letter: false
        case .create, .remove, .change, .settle: true
        }
    }

    /// For metrics.
    var name: String {
        switch self {
        case .list: "sinks"
        case .show: "sink"
        case .create: "create_sink"
        case .remove: "remove_sink"
        case .change: "change_sink"
        case .letters: "dead_letters"
        case .letter: "dead_letter"
        case .settle: "settle_letter"
        }
    }
}
