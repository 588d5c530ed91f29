import Events
import Foundation
import Synchronization
import TestSupport

/// Clients of runs on threads of their own: those that come and go, and those that stay.
struct RunClients: Sendable {
    let port: Int
    let record: RunRecord

    /// Does blocking work on a thread of its own.
    static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Follows a run from a seq to its terminal event, and comes back with the last seq after every other end.
    ///
    /// - Returns: how often it connected.
    func follow(_ run: String, wire: RunStream.Wire, name: String) throws -> Int {
        var (last, connections): (Int64, Int) = (0, 0)
        while true {
            let stream = try RunStream(port: port, run: run, after: last, wire: wire)
            connections += 1
            if try read(stream, run, &last, limit: .max, name: name) { return connections }
        }
    }

    /// Connects so many times at random seqs of random runs, over both wires in turn, and reads a few events each time.
    func comeAndGo(_ runs: [String], times: Int, name: String, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for turn in 0..<times {
            guard let run = runs.randomElement(using: &generator) else { return }
            let from = Int64.random(in: 0...record.last(of: run), using: &generator)
            var last = from
            let stream = try RunStream(port: port, run: run, after: from, wire: turn % 2 == 0 ? .sse : .webSocket)
            let limit = Int.random(in: 1...10, using: &generator)
            if try read(stream, run, &last, limit: limit, name: "\(name), turn \(turn)") {
                record.complain("\(name), turn \(turn): \(run) ended after \(last), and it has not")
            }
            if last != from + Int64(limit) { record.complain("\(name), turn \(turn): \(run) from \(from) stopped at \(last)") }
        }
    }

    /// Reads a run on to its end, which comes in this moment: it is told once, whether by the event or by the answer.
    func end(_ run: String, behind seq: Int64, wire: RunStream.Wire, name: String) throws -> Int64 {
        var last = seq
        let stream = try RunStream(port: port, run: run, after: seq, wire: wire)
        guard try read(stream, run, &last, limit: .max, name: name) else {
            record.complain("\(name): the stream of \(run) stopped behind \(last) without its end")
            return last
        }
        return last
    }

    /// - Returns: whether the run is over.
    private func read(_ stream: RunStream, _ run: String, _ last: inout Int64, limit: Int, name: String) throws -> Bool {
        if stream.isOver { return true }
        var (isEnded, count) = (false, 0)
        while count < limit, let item = try stream.next() {
            switch item {
            case .event(let source, let seq, let event, let number):
                if source != run { record.complain("\(name): an event of \(source) came among those of \(run)") }
                if isEnded { record.complain("\(name): \(run) has \(seq) behind its end") }
                if seq != last + 1 { record.complain("\(name): \(run) has \(seq) behind \(last)") }
                record.received(number, seq: seq, of: run, by: name)
                last = seq
                count += 1
                if event == "terminal" { isEnded = true }
            case .gap(let text): record.complain("\(name): \(run) has a gap: \(text)")
            case .end(let why):
                if why.hasPrefix("1000 ") { return true }
                return isEnded
            }
        }
        return isEnded
    }
}
