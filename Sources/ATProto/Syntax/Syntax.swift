/// The identifiers of the protocol, checked byte by byte: no expression engine, no allocation.
///
/// Source: the specifications of DIDs, handles, NSIDs, record keys; the published syntax vectors.
public enum Syntax {
    /// `did:`, a method in lower case, an identifier; at most 2048 bytes.
    public static func isDID(_ text: String) -> Bool { isDID(utf8: text.utf8) }

    /// A domain name of at least two labels, at most 253 bytes; the last label starts with a letter.
    public static func isHandle(_ text: String) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, labels.count >= 2, let last = labels.last, let first = last.first, isLetter(first) else { return false }
        return labels.allSatisfy { isLabel($0) }
    }

    /// A DID or a handle.
    public static func isATIdentifier(_ text: String) -> Bool { isDID(text) || isHandle(text) }

    /// Three or more segments, at most 317 bytes: a domain name turned round, then a name of letters and digits.
    public static func isNSID(_ text: String) -> Bool { isNSID(utf8: text.utf8) }

    /// 1 to 512 letters, digits and `_ ~ . : -`, but neither `.` nor `..`.
    public static func isRecordKey(_ text: String) -> Bool { isRecordKey(utf8: text.utf8) }

    public static func isTID(_ text: String) -> Bool { TID(text) != nil }

    /// Whether a text could be a CID of any version, codec and base but version 0: what a `format: cid` asks for.
    /// What this module itself reads and links to is a ``CID``.
    public static func isCIDText(_ text: String) -> Bool {
        guard (8...256).contains(text.utf8.count), !text.hasPrefix("Qm") else { return false }
        return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "=") }
    }

    // MARK: - Over bytes

    static func isDID(utf8: some BidirectionalCollection<UInt8>) -> Bool {
        guard utf8.count <= 2048, utf8.starts(with: "did:".utf8) else { return false }
        let rest = utf8.dropFirst(4)
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let method = rest[..<colon]
        guard !method.isEmpty, method.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }) else { return false }
        let identifier = rest[colon...].dropFirst()
        guard let last = identifier.last, last != UInt8(ascii: ":"), last != UInt8(ascii: "%") else { return false }
        return identifier.allSatisfy { byte in
            if isLetter(byte) || isDigit(byte) { return true }
            switch byte {
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"), UInt8(ascii: "-"): return true
            default: return false
            }
        }
    }

    static func isNSID(utf8: some BidirectionalCollection<UInt8>) -> Bool {
        guard utf8.count <= 317, let lastDot = utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let name = utf8[lastDot...].dropFirst()
        guard let first = name.first, isLetter(first), name.count <= 63, name.allSatisfy({ isLetter($0) || isDigit($0) }) else { return false }
        let authority = utf8[..<lastDot]
        guard let start = authority.first, isLetter(start) else { return false }
        var segments = 0
        var rest = authority[...]
        while true {
            segments += 1
            guard let dot = rest.firstIndex(of: UInt8(ascii: ".")) else { break }
            guard isLabel(rest[..<dot]) else { return false }
            rest = rest[dot...].dropFirst()
        }
        return segments >= 2 && isLabel(rest)
    }

    static func isRecordKey(utf8: some BidirectionalCollection<UInt8>) -> Bool {
        guard (1...512).contains(utf8.count) else { return false }
        if utf8.count <= 2, utf8.allSatisfy({ $0 == UInt8(ascii: ".") }) { return false }
        return utf8.allSatisfy { byte in
            if isLetter(byte) || isDigit(byte) { return true }
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-"): return true
            default: return false
            }
        }
    }

    /// 1 to 63 letters, digits and hyphens, no hyphen at an end.
    private static func isLabel(_ label: some BidirectionalCollection<UInt8>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard let first = label.first, let last = label.last, first != hyphen, last != hyphen, label.count <= 63 else { return false }
        return label.allSatisfy { isLetter($0) || isDigit($0) || $0 == hyphen }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
