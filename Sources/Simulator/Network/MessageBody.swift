import ATProto

/// A message of `subscribeRepos` without the two values that a relay fills in: `seq`, and the time of sending.
///
/// Everything around them is encoded once and shared by all relays and windows; a relay writes three slices and two values.
struct MessageBody: Hashable, Sendable {
    /// Header and body, with nothing where `seq` and the 27 bytes of `time` belong.
    let bytes: [UInt8]
    let seqOffset: Int
    let timeOffset: Int

    /// Bytes of the frame with the longest number.
    var frameBytesMax: Int { bytes.count + 9 + Timestamp.byteCount }

    /// The frame, header included. `time` is as ``Timestamp`` makes it.
    func frame(seq: Int64, time: [UInt8]) -> [UInt8] {
        var number = CBORWriter(capacity: 9)
        number.integer(seq)
        var out: [UInt8] = []
        out.reserveCapacity(frameBytesMax)
        out += bytes[..<seqOffset]
        out += number.bytes
        out += bytes[seqOffset..<timeOffset]
        out += time
        out += bytes[timeOffset...]
        return out
    }
}
