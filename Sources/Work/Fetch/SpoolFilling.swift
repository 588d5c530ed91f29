internal import ATProto
internal import NIOCore

/// What a spool does with the bytes of an archive. Its calls block on the file.
struct SpoolFilling: Sendable {
    private let configuration: ArchiveSpool.Configuration
    private var stream = CARStream()
    private var builder: ArchiveIndex.Builder
    private var layout: SpoolLayout
    private var file: SpoolFile?

    init(_ configuration: ArchiveSpool.Configuration) {
        self.configuration = configuration
        builder = ArchiveIndex.Builder(blocksMax: configuration.blocksMax)
        layout = SpoolLayout(memoryBytes: configuration.memoryBytes)
    }

    /// Bytes that were taken.
    var count: Int { stream.count }

    mutating func take(_ chunk: ByteBuffer) throws(SpoolError) {
        do throws(FormatError) {
            var failure: FormatError?
            chunk.withUnsafeReadableBytes { bytes in
                do throws(FormatError) {
                    try stream.push(bytes) { cid, _, data throws(FormatError) in
                        try builder.add(cid, offset: layout.put(cid, data), count: data.count)
                    }
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        } catch {
            throw .archive(error)
        }
        try write(layout.takeComplete())
    }

    mutating func finish() throws(SpoolError) -> RepositoryArchive {
        do throws(FormatError) { try stream.finish() } catch { throw .archive(error) }
        let source = try source()
        do throws(FormatError) {
            guard let root = stream.roots.first else { throw FormatError(.car, "no root") }
            return try RepositoryArchive(root: root, index: builder.index(source), source: source)
        } catch {
            throw .archive(error)
        }
    }

    private mutating func source() throws(SpoolError) -> any BlockSource {
        guard layout.isInFile else { return ArchiveBytes(layout.memory) }
        try write(layout.takeRest())
        guard let file else { return ArchiveBytes([]) }
        return try file.map(layout.fileBytes, residentBytes: configuration.residentBytes)
    }

    private mutating func opened() throws(SpoolError) -> SpoolFile {
        if let file { return file }
        let made = try SpoolFile(folder: configuration.folder)
        file = made
        return made
    }

    private mutating func write(_ extents: [SpoolLayout.Extent]) throws(SpoolError) {
        guard !extents.isEmpty else { return }
        let file = try opened()
        for extent in extents { try file.write(extent) }
    }
}
