import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A webhook sink to a server on the loopback address: from the log, in order, in batches of 50, by one worker.
///
/// The server checks that each run's events come in order without a hole, and answers at once. Median over the turns.
enum WebhookBench: BenchPart {
    static let name = "webhook"

    static func rows(_ context: BenchContext) async throws -> [BenchRow] {
        let (runs, events, turns) = context.isFull ? (16, 10_000, 5) : (8, 5_000, 3)
        let receiver = try await BenchReceiver.start()
        defer { receiver.stop() }
        let rates = try await SinkLab.run(context) { lab in
            try await lab.append(runs: runs, events: events, keys: 1000)
            var rates: [Double] = []
            for turn in 0..<turns {
                context.progress.show("webhook", turn, turns)
                receiver.forget()
                let seconds = try await lab.deliver(
                    "hook", ["kind": "webhook", "url": "http://127.0.0.1:\(receiver.port)/in", "secret": "0123456789abcdef"])
                let (count, disorder) = receiver.seen
                guard count == runs * events, !disorder else { throw Failure("\(count) of \(runs * events) events came, out of order: \(disorder)") }
                rates.append(Double(count) / seconds)
            }
            context.progress.finish()
            return rates.sorted()
        }
        return [
            BenchRow(
                name: "webhook sink", figure: rates[rates.count / 2], unit: "events/s", ceiling: nil, ceilingName: nil, bar: .atLeast(10_000),
                note: "batches of 50, signed, in order within each of \(runs) runs; bodies of 200 B; log, worker and server on this machine")
        ]
    }
}

/// A server that takes webhooks, reads which seqs come from their keys, and answers 200.
final class BenchReceiver: Sendable {
    private let state = Mutex<(count: Int, next: [String: Int64], disorder: Bool)>((0, [:], false))
    private let channel = Mutex<(any Channel)?>(nil)

    static func start() async throws -> BenchReceiver {
        let receiver = BenchReceiver()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Connection(receiver))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        receiver.channel.withLock { $0 = channel }
        return receiver
    }

    var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
    var seen: (count: Int, disorder: Bool) { state.withLock { ($0.count, $0.disorder) } }

    func forget() { state.withLock { $0 = (0, [:], false) } }
    func stop() { channel.withLock { $0 }?.close(promise: nil) }

    /// `sink/run/first-last`.
    fileprivate func came(_ key: String) {
        guard let slash = key.lastIndex(of: "/") else { return }
        let seqs = key[key.index(after: slash)...].split(separator: "-").compactMap { Int64($0) }
        guard seqs.count == 2 else { return }
        let run = String(key[..<slash])
        state.withLock { state in
            if seqs[0] != state.next[run] ?? 1 { state.disorder = true }
            state.next[run] = seqs[1] + 1
            state.count += Int(seqs[1] - seqs[0]) + 1
        }
    }

    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let receiver: BenchReceiver

        init(_ receiver: BenchReceiver) { self.receiver = receiver }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): receiver.came(head.headers.first(name: "Idempotency-Key") ?? "")
            case .body: break
            case .end:
                let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["content-length": "0"])
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
