/// What can be made to go wrong. The raw value is its name in the control API, in the status and in the record.
///
/// New ones go to the end: the place of a kind decides where its schedule falls.
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

    // On one connection of a relay or labeler.
    /// Half of a frame, then the end.
    case cutMidFrame = "cut_mid_frame"
    /// The end, between two frames.
    case cutOnBoundary = "cut_on_boundary"
    /// Bytes that are no WebSocket frame.
    case garbageBytes = "garbage_bytes"
    /// An `op: -1` message, then the end.
    case errorFrame = "error_frame"

    // A state of a relay or labeler, for some time.
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

    // A turn of a relay's or labeler's stream, at once.
    /// It numbers anew, a relay from a low number and a labeler from 1, and has nothing of its old numbering: a reader's cursor lies in its future. Open connections end.
    case renumber
    /// The window gives up all that it holds: a reader that was away finds its cursor outdated. Open connections end.
    case forget

    // A state of the directory or of a repository host, for some time or some requests.
    case directoryDelay = "directory_delay"
    case directoryError = "directory_error"
    case directoryNotFound = "directory_not_found"
    case hostDelay = "host_delay"
    case hostError = "host_error"
    case hostBusy = "host_busy"
    /// Nobody answers: each connection ends as soon as it asks.
    case hostGone = "host_gone"

    // What becomes of the next archives (`getRepo`) of a host or of an account.
    /// It drips: `bytes` at a time (1 KB where that is 0), with `seconds` before each.
    case hostSlow = "host_slow"
    /// Nothing comes after `bytes`, until an order of this kind with a count of 0 or until the connection ends.
    case hostHang = "host_hang"
    /// The connection ends after `bytes`.
    case hostCut = "host_cut"
    /// A block has other bytes than its CID says.
    case carWrongDigest = "car_wrong_digest"
    /// A node is not there.
    case carMissingNode = "car_missing_node"
    /// A record is not there.
    case carMissingRecord = "car_missing_record"
    /// The root is its own child. No such node has the digest of its CID: who does not check digests walks for ever.
    case carCycle = "car_cycle"
    /// Two entries share one subtree; every digest is right and the commit well signed.
    case carRepeatedSubtree = "car_repeated_subtree"
    /// A key stands behind one that is greater; digests and signature are right.
    case carKeysOutOfOrder = "car_keys_out_of_order"
    /// A key stands on another layer than its hash says; digests and signature are right.
    case carWrongLayer = "car_wrong_layer"
    /// The commit is signed by a key that the account does not have.
    case carWrongSignature = "car_wrong_signature"
    /// The commit says that it is another account's; signed by the account's own key.
    case carWrongDID = "car_wrong_did"
    /// It ends between two sections, as if that were all.
    case carTruncated = "car_truncated"
    /// A section is said to be 2^63 − 1 bytes long.
    case carGiantVarint = "car_giant_varint"
    /// Behind the last section stand bytes that are none.
    case carTrailingGarbage = "car_trailing_garbage"
    /// The repository as it was `depth` commits ago, well signed.
    case carStale = "car_stale"

    // What becomes of an account, in the network itself; at once, without waiting for an event.
    case accountDeactivate = "account_deactivate"
    case accountTakedown = "account_takedown"
    case accountSuspend = "account_suspend"
    /// Its repository is gone; its document stays.
    case accountDelete = "account_delete"
    /// It is active again; one that was deleted comes back with another repository and another key.
    case accountReturn = "account_return"
    /// It moves to `host` (nil: any other), with a new key there; the host before says from then on that it is deactivated.
    case migrate
    /// The same, and the host before knows nothing of it any more.
    case migrateGone = "migrate_gone"
    /// Its repository begins anew with the same records, as far as one commit can carry them: `since` is null.
    case rebase
    /// The same with other records.
    case rebaseOther = "rebase_other"
    /// Its host loses its last `depth` commits, which the relays have sent, and goes on from the one before. No message says so.
    case fork
    /// A commit of the account, like all others.
    case write

    // In a labeler's stream.
    /// A label that is signed by a key that the labeler does not have, in one frame with a sound one.
    case labelBadSignature = "label_bad_signature"

    /// Who carries it out.
    enum Place: Sendable { case stream, forged, network, connection, relay, server, labels }

    var place: Place {
        switch self {
        case .malformedFrame, .unknownOp, .unknownType, .oversizeFrame, .duplicate, .reorder, .dropCommit: .stream
        case .badSignature, .wrongPrevData, .wrongTree, .futureRev: .forged
        case .syncDivergence, .rotateKey, .accountDeactivate, .accountTakedown, .accountSuspend, .accountDelete, .accountReturn: .network
        case .migrate, .migrateGone, .rebase, .rebaseOther, .fork, .write: .network
        case .cutMidFrame, .cutOnBoundary, .garbageBytes, .errorFrame: .connection
        case .silent, .refuse429, .refuse503, .delay, .gone, .renumber, .forget: .relay
        case .directoryDelay, .directoryError, .directoryNotFound, .hostDelay, .hostError, .hostBusy, .hostGone: .server
        case .hostSlow, .hostHang, .hostCut, .carWrongDigest, .carMissingNode, .carMissingRecord, .carCycle, .carRepeatedSubtree: .server
        case .carKeysOutOfOrder, .carWrongLayer, .carWrongSignature, .carWrongDID, .carTruncated, .carGiantVarint: .server
        case .carTrailingGarbage, .carStale: .server
        case .labelBadSignature: .labels
        }
    }

    /// What becomes of an account, other than the two that came first and wait for an event where no account is named.
    var isLife: Bool { place == .network && self != .syncDivergence && self != .rotateKey }

    /// Archives that are wrong on purpose.
    static let lies: [FaultKind] = [
        .carWrongDigest, .carMissingNode, .carMissingRecord, .carCycle, .carRepeatedSubtree, .carKeysOutOfOrder, .carWrongLayer, .carWrongSignature,
        .carWrongDID, .carTruncated, .carGiantVarint, .carTrailingGarbage, .carStale,
    ]

    /// Whether it meets a number of requests, whatever its `seconds` are.
    var countsRequests: Bool {
        switch self {
        case .directoryDelay, .hostDelay, .hostSlow, .hostHang, .hostCut: true
        default: Self.lies.contains(self)
        }
    }
}
