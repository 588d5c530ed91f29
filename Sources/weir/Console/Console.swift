import Glibc

/// Standard output and standard error, written whole: a reader that went away (`weir tail | head`) is no failure.
enum Console {
    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    static func print(_ line: String) { write(line + "\n") }

    /// Ends the process quietly when nobody reads any more.
    static func write(_ text: String) {
        if !put(text, to: STDOUT_FILENO) { exit(0) }
    }

    static func complain(_ line: String) { _ = put(line + "\n", to: STDERR_FILENO) }

    /// Text for the terminal on standard error, without a line break: progress.
    static func paint(_ text: String) { _ = put(text, to: STDERR_FILENO) }

    /// Columns of the terminal; 80 where there is none.
    static var width: Int {
        var size = winsize()
        let known = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 || ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
        return known && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private static func put(_ text: String, to descriptor: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return false }
            bytes = bytes.dropFirst(written)
        }
        return true
    }
}
