/// What can be made to go wrong. The raw value is its name in the control API, in the status and in the record.
public enum FaultKind: String, Hashable, Sendable, CaseIterable {
    // In a relay's stream: they have a number and come again on replay.
    /// A message in intact WebSocket framing whose bytes are no DAG-CBOR.
    case malformedFrame = "malformed_frame"
    /// A message with `op: 7`.
    case unknownOp = "unknown_op"
    /// A message with `t: "#weather"`.
    case unknownType = "unknown_type"
    /// A message above the limit of 5 MB: 6 MB.
    case oversizeFrame = "oversize_frame"
    /// An earlier message again, under a new number.
    case duplicate
    /// A message that stands behind up to 200 later ones of other DIDs.
    case reorder
    /// A commit that this relay leaves out and another one has.
    case dropCommit = "drop_commit"

    // Commits that never were the account's: one relay sends them, nobody may accept them.
    /// Signed by a key that the account does not have.
    case badSignature = "bad_signature"
    /// Well signed; `prevData` is another root.
    case wrongPrevData = "wrong_prev_data"
    /// Well signed; an operation names a CID that the tree does not hold.
    case wrongTree = "wrong_tree"
    /// Well signed; the rev is an hour ahead.
    case futureRev = "future_rev"

    // In the network itself: every relay sends what follows from it.
    /// A repository changes without a commit, then says so with `#sync`.
    case syncDivergence = "sync_divergence"
    /// An account gets another key, then says so with `#identity`.
    case rotateKey = "rotate_key"

    // On one connection of a relay.
    /// Half of a frame, then the end.
    case cutMidFrame = "cut_mid_frame"
    /// The end, between two frames.
    case cutOnBoundary = "cut_on_boundary"
    /// Bytes that are no WebSocket frame.
    case garbageBytes = "garbage_bytes"
    /// An `op: -1` message, then the end.
    case errorFrame = "error_frame"

    // A state of a relay, for some time.
    /// Connections stay open and nothing comes: no message, no ping, no pong.
    case silent
    /// Connects are answered 429 with `Retry-After`.
    case refuse429 = "refuse_429"
    /// Connects are answered 503.
    case refuse503 = "refuse_503"
    /// Messages come so much later.
    case delay
    /// Nothing listens: open connections end without a word, and each connect ends as soon as it is made.
    case gone

    // A turn of a relay's stream, at once.
    /// The relay numbers anew from a low number, and has nothing of its old numbering: a reader's cursor lies in its future. Open connections end.
    case renumber
    /// The relay's window gives up all that it holds: a reader that was away finds its cursor outdated. Open connections end.
    case forget

    // A state of the directory or of the repository host, for some time or some requests.
    case directoryDelay = "directory_delay"
    case directoryError = "directory_error"
    case directoryNotFound = "directory_not_found"
    case hostDelay = "host_delay"
    case hostError = "host_error"
    case hostBusy = "host_busy"

    /// Who carries it out.
    enum Place: Sendable { case stream, forged, network, connection, relay, server }

    var place: Place {
        switch self {
        case .malformedFrame, .unknownOp, .unknownType, .oversizeFrame, .duplicate, .reorder, .dropCommit: .stream
        case .badSignature, .wrongPrevData, .wrongTree, .futureRev: .forged
        case .syncDivergence, .rotateKey: .network
        case .cutMidFrame, .cutOnBoundary, .garbageBytes, .errorFrame: .connection
        case .silent, .refuse429, .refuse503, .delay, .gone, .renumber, .forget: .relay
        case .directoryDelay, .directoryError, .directoryNotFound, .hostDelay, .hostError, .hostBusy: .server
        }
    }
}
