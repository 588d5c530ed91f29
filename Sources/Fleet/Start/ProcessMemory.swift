import CMalloc
import Glibc

/// How the process's allocator keeps memory that was freed.
///
/// glibc gives nearly each thread an arena of its own, up to eight a core, and an arena gives pages back from its end only. A batch is read on an
/// event loop, judged on the pool and sent on a connection's thread: each of some fifteen threads came to keep its own high-water mark of that.
/// Measured with 60,000 frames pressing on 2 cores: the worker's peak 304 MB with 17 arenas, 215 MB with 2, at the same processor time
/// (146 µs a frame); with what it holds bounded (`WorkerConfiguration.roomBytes`) 148 and 118 MB. A fixed threshold for `mmap` gained nothing.
enum ProcessMemory {
    /// An arena a core, and at least two: so many threads run at once, and small pieces come from a cache of each thread anyway.
    ///
    /// Call it before there are other threads: an arena that was made stays.
    static func boundArenas() {
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        _ = mallopt(M_ARENA_MAX, Int32(clamping: max(2, cores)))
    }
}
