/// The parts of the bench, in the order in which they are measured and shown.
enum BenchParts {
    static let all: [any BenchPart.Type] = [
        DecodeBench.self,
        ArchiveBench.self,
        IngestBench.self,
        AppendBench.self,
        EndToEndBench.self,
        LatencyBench.self,
        MemoryBench.self,
        BackfillBench.self,
        FailoverBench.self,
        ClientsBench.self,
        FanOutBench.self,
    ]
}
