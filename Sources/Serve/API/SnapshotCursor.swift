import Events
import Ledger

/// Behind which key a page of a snapshot begins. Clients treat the text as opaque: base64url of the byte 1, eight bytes of the key sequence, and the key.
struct SnapshotCursor: Hashable, Sendable, CustomStringConvertible {
    let place: RunSnapshot.Place

    init(_ place: RunSnapshot.Place) { self.place = place }

    var description: String {
        let sequence = withUnsafeBytes(of: place.keySequence.bigEndian) { Array($0) }
        var text: [UInt8] = []
        Base64URL.append([1] + sequence + Array(place.key.utf8), to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil where the text was not made by ``description``.
    init?(_ text: String) {
        guard text.utf8.count <= 1024, let bytes = Base64URL.decode(text.utf8), bytes.count > 9, bytes[0] == 1,
            let key = String(validating: bytes[9...], as: UTF8.self), ApplicationEvent.isKey(key, bytesMax: ApplicationEvent.keyBytesMax)
        else { return nil }
        let sequence = bytes[1..<9].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let keySequence = Int64(exactly: sequence) else { return nil }
        place = RunSnapshot.Place(keySequence: keySequence, key: key)
    }
}
