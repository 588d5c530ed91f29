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
        BackfillLatencyBench.self,
        ParkedHostsBench.self,
        FailoverBench.self,
        RunsBench.self,
        PublishBench.self,
        WebhookBench.self,
        TableSinkBench.self,
        ClientsBench.self,
        FanOutBench.self,
    ]
}
