import ArgumentParser
import Events
import Fleet
import Foundation

struct RunsAppend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Append an event to a run, or with - events from standard input, one JSON object a line.",
        discussion: """
            weir runs append orders/7 order.paid '{"n":1}' --key o1 --dedup-key pay-1
            printf '{"type":"order.sent","key":"o1"}\\n' | weir runs append orders/7 -

            Lines go in calls of a thousand at most, each of which is appended as a whole or not at all. A line with a dedup_key may be sent again.
            """)
    @OptionGroup var run: RunOptions
    @OptionGroup var expected: ExpectedSeq

    @Argument(help: ArgumentHelp("The event's type (order.paid); - reads lines from standard input.", valueName: "type"))
    var type: String

    @Argument(help: ArgumentHelp("Its payload, any JSON value.", valueName: "json"))
    var payload: String?

    @Option(help: ArgumentHelp("Whose latest event a snapshot holds.", valueName: "key"))
    var key: String?

    @Option(help: ArgumentHelp("Above the key's last one; left out: the one after it.", valueName: "number"))
    var keySeq: Int64?

    @Option(help: ArgumentHelp("Names the event, so that it may be sent again.", valueName: "key"))
    var dedupKey: String?

    private static let callLinesMax = 1000
    private static let callBytesMax = 512 << 10

    private var readsLines: Bool { type == "-" }

    func validate() throws {
        if readsLines {
            guard payload == nil, key == nil, keySeq == nil, dedupKey == nil else {
                throw ValidationError("lines of standard input have all of it in themselves: only --expected-seq goes with -")
            }
        } else {
            guard ApplicationEvent.isType(type) else {
                throw ValidationError(
                    "\(Terminal.safe(type.excerpt(scalars: 80))) is no type; allowed: segments of A-Z a-z 0-9 _ : / - with dots between them")
            }
            if let payload { _ = try RunOptions.json(payload, "the payload") }
        }
    }

    func run() async throws {
        if readsLines { return try await appendLines() }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", type)
        if let key { writer.member("key", key) }
        if let keySeq { writer.member("key_seq", keySeq) }
        if let dedupKey { writer.member("dedup_key", dedupKey) }
        if let payload { writer.member("payload", json: try RunOptions.json(payload, "the payload")) }
        writer.endObject()
        var told = Told()
        told.add(try await run.send("/events" + expected.query, writer.take()), json: run.json)
        if !run.json { told.print(run.id) }
    }

    private func appendLines() async throws {
        var call = Call()
        var line: [UInt8] = []
        while let bytes = try FileHandle.standardInput.read(upToCount: 64 << 10), !bytes.isEmpty {
            for byte in bytes {
                guard byte == UInt8(ascii: "\n") else {
                    guard line.count < Self.callBytesMax else {
                        throw Failure("line \(call.number + 1) has more than \(Self.callBytesMax) bytes", code: ExitCodes.usage)
                    }
                    line.append(byte)
                    continue
                }
                try await add(&line, to: &call)
            }
        }
        try await add(&line, to: &call)
        try await send(&call)
        if !run.json { call.told.print(run.id) }
    }

    /// Lines that are sent together.
    private struct Call {
        var told = Told()
        var body: [UInt8] = []
        var lines = 0
        /// Of the last line that was read, from 1.
        var number = 0
    }

    private func add(_ line: inout [UInt8], to call: inout Call) async throws {
        call.number += 1
        defer { line.removeAll(keepingCapacity: true) }
        guard line.contains(where: { $0 > 0x20 }) else { return }
        if call.lines == Self.callLinesMax || call.body.count + line.count >= Self.callBytesMax { try await send(&call) }
        call.body += line + [UInt8(ascii: "\n")]
        call.lines += 1
    }

    private func send(_ call: inout Call) async throws {
        guard call.lines > 0 else { return }
        // Only of the first call can it be known what the run's last seq is.
        let query = call.told.calls == 0 ? expected.query : ""
        let taken = call.told.appended + call.told.repeated
        call.told.add(try await run.send("/events" + query, call.body, type: "application/x-ndjson", told: taken), json: run.json)
        call.body.removeAll(keepingCapacity: true)
        call.lines = 0
    }

    /// What the API has said of all calls.
    private struct Told {
        var calls = 0
        var appended = 0
        var repeated = 0
        var firstSeq: Int64?
        var lastSeq: Int64 = 0

        mutating func add(_ answer: [UInt8], json: Bool) {
            calls += 1
            if json { Console.print(String(decoding: answer, as: UTF8.self)) }
            guard let tree = JSONTree(answer) else { return }
            appended += Int(tree["appended"]?.integer ?? 0)
            repeated += Int(tree["repeated"]?.integer ?? 0)
            firstSeq = firstSeq ?? tree["seqs"]?.items.first?.integer
            lastSeq = tree["last_seq"]?.integer ?? lastSeq
        }

        func print(_ id: String) {
            let again = repeated > 0 ? ", \(repeated) were there before" : ""
            let what = appended + repeated == 1 ? "seq \(firstSeq ?? 0)" : "\(appended) events"
            Console.print("\(Terminal.safe(id)): \(what)\(again); the last seq is \(lastSeq)")
        }
    }
}
