import ATProto
import Crypto
import Foundation
import Glibc
import Synchronization

/// The wall clock and this process' CPU time at one moment, in seconds.
struct Moment: Sendable {
    var wall: Double
    var cpu: Double

    static func now() -> Self { Self(wall: seconds(CLOCK_MONOTONIC), cpu: seconds(CLOCK_PROCESS_CPUTIME_ID)) }

    static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// `#commit` frames of different accounts in WebSocket framing, one after the other, whose numbers can be written in place.
///
/// Their blocks are noise: an ingester reads no further than the fields that route a frame.
struct PreparedFrames: Sendable {
    static let rev = "3kabcdefghijk"
    static let time = "2026-01-01T00:00:00.000Z"
    static func did(_ number: Int) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz234567")
        return "did:plc:" + String((0..<24).map { letters[(number * 7919 + $0 * (number + 13)) % letters.count] })
    }

    /// All frames, each `stride` bytes.
    let bytes: [UInt8]
    let stride: Int
    let count: Int
    /// Where a frame's number stands, four bytes, big-endian.
    let numberOffset: Int

    init(bytes frameBytes: Int, count: Int = 192) {
        var noise = SystemRandomNumberGenerator()
        func frame(_ number: Int, blocks: Int) -> [UInt8] {
            let cid = CID(hashing: [1])
            return CommitMessage(
                seq: 1_000_000, repo: Self.did(number), commit: cid, rev: Self.rev, since: nil, prevData: cid,
                ops: [RepoOperation(action: .create, path: "app.bsky.feed.post/\(Self.rev)", cid: cid)],
                blocks: (0..<blocks).map { _ in UInt8.random(in: 0...255, using: &noise) }, time: Self.time
            ).frame()
        }
        let blocks = frameBytes - frame(0, blocks: 4_000).count + 4_000
        var all: [UInt8] = []
        for number in 0..<count {
            let payload = frame(number, blocks: blocks)
            all += [0x82, 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)] + payload
        }
        bytes = all
        stride = all.count / count
        self.count = count
        let mark: [UInt8] = [0x63, 0x73, 0x65, 0x71, 0x1a]
        numberOffset = (0..<(stride - 9)).first { Array(all[$0..<$0 + mark.count]) == mark }.map { $0 + mark.count } ?? 0
    }
}

/// A relay that serves one client as fast as the socket takes it: a thread that writes prepared bytes, and only counts their numbers up.
final class FrameSender: Sendable {
    private struct State {
        var begin: Moment?
        var cpuSeconds: Double?
        var client: Int32 = -1
        var isStopped = false
    }

    static let firstSeq = 1_000_000
    let port: Int
    let lastSeq: Int
    private let frames: PreparedFrames
    private let count: Int
    private let listener: Int32
    private let state = Mutex(State())

    /// When the first frame was about to be written; nil before.
    var begin: Moment? { state.withLock { $0.begin } }
    /// Of the thread, from the first frame to the last; nil before that.
    var cpuSeconds: Double? { state.withLock { $0.cpuSeconds } }

    init(_ frames: PreparedFrames, count: Int) throws {
        self.frames = frames
        self.count = count
        lastSeq = Self.firstSeq + count - 1
        guard frames.numberOffset > 0 else { throw Failure("the frames have no number of four bytes") }
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
        }
        guard isBound, listen(listener, 4) == 0 else { throw Failure("no loopback port for the bench's relay: \(errno)") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { self.serve() }
    }

    /// Ends the thread and both sockets.
    func stop() {
        let client = state.withLock { state in
            state.isStopped = true
            return state.client
        }
        if client >= 0 { shutdown(client, Int32(SHUT_RDWR)) }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// A second connection gets nothing: an ingester that had to connect again has no round to show.
    private func serve() {
        defer { close(listener) }
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        defer { close(client) }
        state.withLock { $0.client = client }
        guard let key = readKey(client), write(client, Array(answer(to: key).utf8)[...]) else { return }
        let cpu = Moment.seconds(CLOCK_THREAD_CPUTIME_ID)
        state.withLock { $0.begin = Moment.now() }
        guard sendAll(client) else { return }
        state.withLock { $0.cpuSeconds = Moment.seconds(CLOCK_THREAD_CPUTIME_ID) - cpu }
        // Until the other side, or `stop`, ends it.
        var rest = [UInt8](repeating: 0, count: 4096)
        while read(client, &rest, rest.count) > 0 {}
    }

    private func sendAll(_ client: Int32) -> Bool {
        var bytes = frames.bytes
        var sent = 0
        while sent < count {
            let share = min(frames.count, count - sent)
            for index in 0..<share {
                let number = UInt32(Self.firstSeq + sent + index)
                let place = index * frames.stride + frames.numberOffset
                for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * byte)) }
            }
            guard write(client, bytes[..<(share * frames.stride)]) else { return false }
            sent += share
        }
        return true
    }

    private func write(_ client: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = send(client, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                guard written > 0 else { return false }
                rest = rest.dropFirst(written)
            }
            return true
        }
    }

    /// The key of the request to upgrade, after its head was read to the end.
    private func readKey(_ client: Int32) -> String? {
        var head: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 2048)
        while !head.suffix(4).elementsEqual("\r\n\r\n".utf8), head.count < 8192 {
            let count = read(client, &piece, piece.count)
            guard count > 0 else { return nil }
            head += piece[..<count]
        }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        return lines.first { $0.lowercased().hasPrefix("sec-websocket-key:") }?.split(separator: " ").last.map(String.init)
    }

    private func answer(to key: String) -> String {
        let accept = Data(Insecure.SHA1.hash(data: Data("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))).base64EncodedString()
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n"
    }
}
