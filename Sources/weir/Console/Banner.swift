import Fleet

/// What `weir up` says when it is ready: what to type next.
struct Banner {
    var address: BindAddress
    var folder: String
    /// Of the simulator, in a demo.
    var controls: String?
    var relays: [String]
    /// Of the simulator.
    var labelers: [String] = []

    func show() {
        let api = APIClient(bind: address).base
        var lines = [
            "", "  Weir is up, reading \(relays.map(Terminal.safe).joined(separator: ", "))", "",
            "  events   curl -N \(api)/streams/firehose", "  status   weir status" + (address.port == 7480 ? "" : " --api \(api)"),
            "  api      \(api)",
            "  data     \(folder)",
        ]
        if !labelers.isEmpty { lines.append("  labelers \(labelers.joined(separator: ", "))") }
        if let controls { lines.append("  faults   curl -X POST \(controls)/sim/faults -d '{\"kind\":\"cut_mid_frame\"}'") }
        lines += ["", "  Ctrl-C stops it.", ""]
        Console.complain(lines.joined(separator: "\n"))
    }
}
