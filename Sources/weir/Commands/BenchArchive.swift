import ArgumentParser
import Fleet
import Foundation

/// What `weir bench` starts to see how much memory an archive takes: a process that does nothing else.
struct BenchArchive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take in one repository's archive, and print what that took.", shouldDisplay: false)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The CAR.")
    var file: String

    func run() async throws {
        _ = Bootstrap.process(try common.load())
        let memory = try await ArchiveMemory.take(file)
        Console.print(String(decoding: try JSONEncoder().encode(memory), as: UTF8.self))
    }
}
