/// A `uuid`, written in lower case with hyphens.
public struct PostgresUUID: Hashable, Sendable, CustomStringConvertible {
    /// Sixteen bytes.
    let bytes: [UInt8]

    init(wireBytes: some Sequence<UInt8>) { bytes = Array(wireBytes) }

    /// Reads 32 hexadecimal digits, with or without hyphens; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 32 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        for place in stride(from: 0, to: 32, by: 2) {
            guard let high = digits[place], let low = digits[place + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        self.bytes = bytes
    }

    public var description: String {
        var text = ""
        for (place, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(place) { text += "-" }
            text += byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
        }
        return text
    }
}
