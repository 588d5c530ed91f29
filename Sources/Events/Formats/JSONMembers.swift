/// Finds a member of a JSON object by name without building values: what a format needs of an event's body.
///
/// It trusts that the text is valid JSON (the log wrote it) but never reads outside of it: on text that is not, it finds nothing.
/// Names are compared as they stand, so a name written with escapes is not found.
struct JSONMembers {
    private let text: ArraySlice<UInt8>

    init(_ text: [UInt8]) { self.text = text[...] }

    /// The value's text as it stands (a string with its quotation marks); nil where there is no such member.
    func rawValue(of name: StaticString) -> ArraySlice<UInt8>? {
        var at = skipSpace(from: text.startIndex)
        guard at < text.endIndex, text[at] == UInt8(ascii: "{") else { return nil }
        at = skipSpace(from: at + 1)
        while at < text.endIndex, text[at] == UInt8(ascii: "\"") {
            guard let nameEnd = endOfString(from: at) else { return nil }
            let isWanted = name.withUTF8Buffer { text[(at + 1)..<(nameEnd - 1)].elementsEqual($0) }
            at = skipSpace(from: nameEnd)
            guard at < text.endIndex, text[at] == UInt8(ascii: ":") else { return nil }
            at = skipSpace(from: at + 1)
            guard let valueEnd = endOfValue(from: at), valueEnd > at else { return nil }
            if isWanted { return text[at..<valueEnd] }
            at = skipSpace(from: valueEnd)
            guard at < text.endIndex, text[at] == UInt8(ascii: ",") else { return nil }
            at = skipSpace(from: at + 1)
        }
        return nil
    }

    /// The member as a flag; nil where it is absent or not `true` or `false`.
    func flag(_ name: StaticString) -> Bool? {
        guard let raw = rawValue(of: name) else { return nil }
        if raw.elementsEqual("true".utf8) { return true }
        return raw.elementsEqual("false".utf8) ? false : nil
    }

    /// The member's text where it is a string, with its quotation marks and escapes as they stand; nil for anything else.
    func rawString(_ name: StaticString) -> ArraySlice<UInt8>? {
        guard let raw = rawValue(of: name), raw.first == UInt8(ascii: "\"") else { return nil }
        return raw
    }

    private func skipSpace(from start: Int) -> Int {
        var at = start
        while at < text.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
        return at
    }

    /// The index after the closing quotation mark of the string that begins at `start`.
    private func endOfString(from start: Int) -> Int? {
        var at = start + 1
        while at < text.endIndex {
            switch text[at] {
            case UInt8(ascii: "\\"): at += 2
            case UInt8(ascii: "\""): return at + 1
            default: at += 1
            }
        }
        return nil
    }

    /// The index after the value that begins at `start`. Nesting is counted, not recursed into.
    private func endOfValue(from start: Int) -> Int? {
        var depth = 0
        var at = start
        while at < text.endIndex {
            switch text[at] {
            case UInt8(ascii: "\""):
                guard let end = endOfString(from: at) else { return nil }
                at = end
                if depth == 0 { return at }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return at }
                depth -= 1
                at += 1
                if depth == 0 { return at }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0 { return at }
                at += 1
            default: at += 1
            }
        }
        return nil
    }
}
