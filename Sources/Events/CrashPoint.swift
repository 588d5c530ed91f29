/// A named place between two steps of which at least one lasts, at which a test may end or stop the process.
///
/// Nothing happens at one unless a process was told to (``CrashOrder``). The page Testing has what a crash at each leaves behind.
public enum CrashPoint: String, Hashable, Sendable, CaseIterable {
    /// A session is numbered in Postgres; Redis has nothing of it. Reached for each session of each upstream.
    case ingestAfterOpenSession = "ingest.after-open-session"
    /// Messages were read from the relay and numbered; Redis does not have them. Reached for each pipeline.
    case ingestAfterReadBeforeAppend = "ingest.after-read-before-append"
    /// Redis has answered a pipeline; the ingester has not taken the answer. Reached for each pipeline.
    case ingestAfterAppend = "ingest.after-append"
    /// Every shard has acknowledged a barrier; the cursor hint does not say so. Reached about once a second for each upstream.
    case ingestAfterAppendBeforeCursor = "ingest.after-append-before-cursor"

    /// A page of a host's list is here; nothing of it is stored. Reached for each page.
    case backfillBeforePage = "backfill.before-page"
    /// A page's jobs are stored, and the cursor behind it; nothing of it is fed. Reached for each page.
    case backfillAfterPage = "backfill.after-page"
    /// Jobs are marked as queued; the job stream does not have them. Reached for each batch that is fed.
    case backfillAfterFeedBeforeAppend = "backfill.after-feed-before-append"

    /// A fetcher has a part of a repository's archive, in its spool. Reached for each chunk.
    case fetchMidArchive = "fetch.mid-archive"
    /// All of a repository's records stand in the backfill stream; the entry that closes them does not. Reached for repositories of several entries.
    case fetchBeforeClose = "fetch.before-close"
    /// A snapshot stands in the backfill stream; its job does not say so. Reached for each repository.
    case fetchAfterClose = "fetch.after-close"

    /// A batch is decided under a lease that is trusted; nothing of it is written.
    case workBeforeCommit = "work.before-commit"
    /// In the transaction: the fence and the run's row are locked, the COPY has begun and has got rows, and has not ended.
    case workMidCopy = "work.mid-copy"
    /// In the transaction: everything is written, the COMMIT is not sent.
    case workBeforeCommitSent = "work.before-commit-sent"
    /// The batch is in the log; Redis is neither trimmed nor told, and nothing is published.
    case workAfterCommitBeforeTrim = "work.after-commit-before-trim"

    /// A publisher has claimed a run and read its next events; its outlet does not have them.
    case outboxBeforePublish = "outbox.before-publish"
    /// The outlet has the events; the run's cursor does not say so.
    case outboxAfterPublishBeforeMark = "outbox.after-publish-before-mark"

    /// A worker has claimed a run for a sink and read its next events; the target does not have them. Reached for each batch.
    case sinkBeforeDeliver = "sink.before-deliver"
    /// A sink's target has events; the run's cursor does not say so.
    case sinkAfterDeliverBeforeMark = "sink.after-deliver-before-mark"

    /// Events were written to a client's stream, and more follow. Reached for each chunk that has events.
    case serveMidStream = "serve.mid-stream"
}
