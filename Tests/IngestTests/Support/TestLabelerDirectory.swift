import NIOCore
import Synchronization

@testable import Ingest

/// Where labelers are, as a test says.
final class TestLabelerDirectory: LabelerDirectory {
    private let locations = Mutex<[String: LabelerLocation]>([:])
    private let allowsAll = Mutex(true)

    func say(_ location: LabelerLocation, of did: String) { locations.withLock { $0[did] = location } }

    func forbidAddresses() { allowsAll.withLock { $0 = false } }

    func location(of did: String) async -> LabelerLocation { locations.withLock { $0[did] } ?? .unknown(reason: "nobody asked the directory") }

    func close() async {}

    func allows(_ address: SocketAddress) -> Bool { allowsAll.withLock { $0 } }
}
