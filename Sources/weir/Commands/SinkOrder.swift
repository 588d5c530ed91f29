import ArgumentParser
import Events
import Fleet

/// An order to the API about a sink or a dead letter, and what it says to it.
struct SinkOrder: ParsableArguments {
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions
    @Flag(help: "Print the API's JSON.") var json = false

    func send(_ method: String, _ path: String, _ body: [UInt8] = []) async throws {
        let client = try server.client(common)
        let (status, answer) = try await APIAnswer.asked { try await client.order(method, path, json: body) }
        guard status / 100 == 2 else { throw APIAnswer.failure(status, answer) }
        if json { return Console.print(String(decoding: answer, as: UTF8.self)) }
        let tree = JSONTree(answer)
        Console.print("\(Terminal.safe(tree?["of"]?.text ?? "")) \(Terminal.safe(tree?["result"]?.text ?? ""))")
    }

    /// Told before anything is asked.
    static func check(run: String?) throws {
        if let run, RunID(run) == nil { throw ValidationError("\(Terminal.safe(run)) is no run's id") }
    }

    static func body(run: String?, to: String? = nil) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        if let run { json.member("run", run) }
        if let to { json.member("to", to) }
        json.endObject()
        return json.take()
    }
}
