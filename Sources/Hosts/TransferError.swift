/// Why a body did not reach its end: the host's fault, or that of whoever took the chunks.
public enum TransferError<Consumer: Error>: Error {
    case host(HostError)
    /// What the consumer threw; nothing more was read.
    case consumer(Consumer)
}
