/// What bounds one operation on a connection: the cancel signal of the task that asked for it.
struct OperationControl {
    /// Nil where the operation must be carried through (COMMIT, ROLLBACK): then only silence ends it.
    var cancel: CancelSignal?
}
