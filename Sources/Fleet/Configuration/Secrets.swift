/// Hides passwords in what people and logs see.
public enum Secrets {
    /// The address with its password replaced: `redis://user:•••@host`. A text that is no address is hidden as a whole.
    public static func masked(_ text: String) -> String {
        if text.isEmpty { return text }
        guard let scheme = text.firstRange(of: "://") else { return "•••" }
        let rest = text[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else { return maskedParameter(text[...]) }
        return maskedParameter((text[..<colon] + ":•••" + text[at...])[...])
    }

    /// libpq takes a password as a parameter too.
    private static func maskedParameter(_ text: Substring) -> String {
        guard let start = text.firstRange(of: "password=") else { return String(text) }
        let rest = text[start.upperBound...].drop { $0 != "&" && $0 != " " }
        return String(text[..<start.upperBound] + "•••" + rest)
    }
}
