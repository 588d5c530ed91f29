public import ATProto

/// Why an archive could not be taken in.
public enum SpoolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It is none, or a block is not what its CID says: the host's fault, and another attempt at the same host will hardly help.
    case archive(FormatError)
    /// It has more bytes than are allowed; the rest was not read.
    case tooLarge(bytesMax: Int)
    /// The file system of the folder has no room left, for anybody: it says nothing of the repository.
    case diskFull(folder: String)
    /// A call of the operating system failed for another reason.
    case storage(call: String, errno: Int32, folder: String)
    /// The task was cancelled, or the pool of threads has ended.
    case cancelled
    /// Something came after the end, or after an error that was thrown before: a mistake of the caller.
    case ended

    public var description: String {
        switch self {
        case .archive(let error): "\(error)"
        case .tooLarge(let bytesMax): "an archive of more than \(bytesMax) bytes"
        case .diskFull(let folder): "no room left in \(folder)"
        case .storage(let call, let errno, let folder): "\(call) in \(folder) failed with error \(errno)"
        case .cancelled: "cancelled"
        case .ended: "the archive has ended already"
        }
    }
}
