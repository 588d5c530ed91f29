extension StringProtocol {
    /// The first Unicode scalars of a stranger's text: for messages, logs and reports.
    ///
    /// Not `prefix`: a `Character` may be as long as a stranger likes, one letter and a million marks.
    public func excerpt(scalars: Int) -> String { String(String.UnicodeScalarView(unicodeScalars.prefix(scalars))) }
}
