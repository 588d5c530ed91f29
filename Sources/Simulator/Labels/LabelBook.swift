/// The labels that one labeler has current: the latest of each identity that was not withdrawn.
struct LabelBook: Sendable {
    private var labels: [SimulatedLabel] = []
    private var places: [SimulatedLabel.Identity: Int] = [:]

    var count: Int { labels.count }
    subscript(place: Int) -> SimulatedLabel { labels[place] }

    /// Takes a label of the labeler: it replaces the one of its identity, or withdraws it.
    mutating func take(_ label: SimulatedLabel) {
        let place = places[label.identity]
        switch (label.neg, place) {
        case (false, .some(let place)): labels[place] = label
        case (false, .none):
            places[label.identity] = labels.count
            labels.append(label)
        case (true, .some(let place)):
            places[label.identity] = nil
            labels.swapAt(place, labels.count - 1)
            labels.removeLast()
            if place < labels.count { places[labels[place].identity] = place }
        case (true, .none): break
        }
    }

    /// Those that have not expired by `microseconds`, in no order; nil gives all.
    func current(at microseconds: Int64?) -> [SimulatedLabel] {
        guard let microseconds else { return labels }
        return labels.filter { $0.expiryMicroseconds.map { $0 > microseconds } ?? true }
    }
}
