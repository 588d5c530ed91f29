/// Text from strangers, made safe for a terminal: no control character passes, so nothing repaints, renames or types there.
enum Terminal {
    static func safe(_ text: some StringProtocol) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func bold(_ text: String) -> String { Console.outputIsTerminal ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
}
