/// `GET /sim/labels` in parts of about 64 KB: a line for each label that is current when it is asked.
actor LabelLines {
    private let labels: [SimulatedLabel]
    private var next = 0

    init(_ labels: [SimulatedLabel]) { self.labels = labels }

    func part() -> [UInt8]? {
        var bytes: [UInt8] = []
        while next < labels.count, bytes.count < 64 << 10 {
            bytes += labels[next].line.utf8
            next += 1
        }
        return bytes.isEmpty ? nil : bytes
    }
}
