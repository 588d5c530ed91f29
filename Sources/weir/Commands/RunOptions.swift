import ArgumentParser
import Events
import Fleet

/// The run that a command is about.
struct RunOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions
    @OptionGroup var server: APIOptions

    @Argument(help: "The run's id.")
    var id: String

    @Flag(help: "Print the API's JSON.")
    var json = false

    func validate() throws { try Self.check(id) }

    static func check(_ id: String) throws {
        guard RunID(id) != nil else {
            throw ValidationError("\(Terminal.safe(id.excerpt(scalars: 80))) is no run's id; allowed: 1 to 256 characters of A-Z a-z 0-9 . _ : / -")
        }
    }

    /// A JSON value of an option, without white space between its tokens.
    static func json(_ text: String, _ option: String) throws -> [UInt8] {
        do {
            var scanner = try JSONScanner(Array(text.utf8))
            var bytes: [UInt8] = []
            try scanner.value(into: &bytes)
            guard scanner.isAtEnd() else { throw JSONScanError("text stands behind the value", offset: scanner.offset) }
            return bytes
        } catch {
            throw ValidationError("\(option) is not JSON: \(error)")
        }
    }

    var path: String { "/runs/\(Tail.encoded(id))" }

    func get(_ rest: String) async throws -> [UInt8] {
        let client = try server.client(common)
        let (status, body) = try await APIAnswer.asked { try await client.get(path + rest) }
        guard status == 200 else { throw APIAnswer.failure(status, body) }
        return body
    }

    /// Sends something to the run; `told`: how many events the API has taken before, for a failure's message.
    func send(_ rest: String, _ body: [UInt8], type: String = "application/json", told: Int = 0) async throws -> [UInt8] {
        let client = try server.client(common)
        let (status, answer) = try await APIAnswer.asked { try await client.send(path + rest, json: body, type: type) }
        guard status == 200 else { throw APIAnswer.failure(status, answer, told: told) }
        return answer
    }

    func end(_ rest: String, _ body: [UInt8]) async throws {
        let answer = try await send(rest, body)
        if json { return Console.print(String(decoding: answer, as: UTF8.self)) }
        guard let tree = JSONTree(answer) else { throw Failure("the API's answer is not JSON") }
        let again = tree["repeated"]?.flag == true ? " before" : ""
        Console.print("\(Terminal.safe(id)) was \(Terminal.safe(tree["state"]?.text ?? "ended"))\(again), at seq \(tree["last_seq"]?.integer ?? 0)")
    }
}
