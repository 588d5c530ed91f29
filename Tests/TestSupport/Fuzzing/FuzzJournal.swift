import Foundation

/// The input in hand, in a mapped file that outlives a crash: its length in 8 bytes of this machine's order, then the bytes.
///
/// Owns nothing of the run; present only where `WEIR_FUZZ_JOURNAL` names a folder. Inputs above ``bytesMax`` are cut.
struct FuzzJournal {
    static let bytesMax = 1 << 20

    private let memory: UnsafeMutableRawBufferPointer

    init?(_ name: String) {
        guard let folder = ProcessInfo.processInfo.environment["WEIR_FUZZ_JOURNAL"] else { return nil }
        let file = open("\(folder)/\(name.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined())", O_RDWR | O_CREAT, 0o644)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let size = Self.bytesMax + 8
        guard ftruncate(file, off_t(size)) == 0, let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), start != MAP_FAILED
        else { return nil }
        memory = UnsafeMutableRawBufferPointer(start: start, count: size)
    }

    func note(_ input: [UInt8]) {
        let count = min(input.count, Self.bytesMax)
        memory.storeBytes(of: UInt64(count), as: UInt64.self)
        input.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: memory[8...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
        }
    }
}
