extension Array where Element == UInt8 {
    /// Lends the bytes to a body that throws `FormatError`, or nothing.
    @inline(__always)
    func withRaw<R>(_ body: (UnsafeRawBufferPointer) throws(FormatError) -> R) throws(FormatError) -> R {
        try withUnsafeBufferPointer { buffer throws(FormatError) in try body(UnsafeRawBufferPointer(buffer)) }
    }
}
