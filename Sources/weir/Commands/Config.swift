import ArgumentParser
import Events
import Fleet

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the configuration in effect, each value with its origin.",
        discussion: "Checks it as a start would; a wrong key ends with code 2. Passwords are masked.")

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print every key with its type, range, default and meaning (Markdown).")
    var reference = false

    @Flag(help: "Print a configuration file with every key at its default.")
    var sample = false

    @Flag(help: "Print JSON: one object, key to value and origin.")
    var json = false

    func run() throws {
        if reference { return Console.print(ConfigurationReference.markdown()) }
        if sample { return Console.write(ConfigurationReference.sampleFile()) }
        let configuration = try common.load()
        if json {
            return printJSON(configuration)
        }
        var table = TextTable([.text("key"), .text("value"), .text("from")])
        for entry in configuration.values.entries { table.rows.append([entry.key.path, Terminal.safe(shown(entry)), "\(entry.origin)"]) }
        for line in table.lines() { Console.print(line) }
    }

    private func printJSON(_ configuration: FleetConfiguration) {
        var writer = JSONWriter()
        writer.beginObject()
        for entry in configuration.values.entries {
            writer.key(dynamic: entry.key.path)
            writer.beginObject()
            writer.member("value", shown(entry))
            writer.member("origin", "\(entry.origin)")
            writer.endObject()
        }
        writer.endObject()
        Console.print(String(decoding: writer.take(), as: UTF8.self))
    }

    private func shown(_ entry: ConfigurationSet.Entry) -> String { entry.key.shown(entry.text) }
}
