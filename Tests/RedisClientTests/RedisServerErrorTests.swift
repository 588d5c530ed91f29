import RedisClient
import Testing

@Suite struct RedisServerErrorTests {
    @Test(
        "errors that need different answers are told apart",
        arguments: [
            ("OOM command not allowed when used memory > 'maxmemory'.", .oom),
            ("READONLY You can't write against a read only replica.", .readOnly),
            ("LOADING Redis is loading the dataset in memory", .loading),
            ("NOSCRIPT No matching script. Please use EVAL.", .noScript),
            ("MOVED 3999 127.0.0.1:6381", .moved(slot: 3999, address: "127.0.0.1:6381")),
            ("ASK 12 host:1", .ask(slot: 12, address: "host:1")),
            ("MOVED what", .other),
            ("NOAUTH Authentication required.", .noAuth),
            ("WRONGPASS invalid username-password pair or user is disabled.", .noAuth),
            ("NOPERM this user has no permissions", .noPermission),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", .wrongType),
            ("BUSYGROUP Consumer Group name already exists", .busyGroup),
            ("NOGROUP No such key 'x' or consumer group 'g'", .noGroup),
            ("ERR The ID specified in XADD is equal or smaller than the target stream top item", .xaddIDTooSmall),
            ("ERR The ID specified in XSETID is smaller than the target stream top item", .xaddIDTooSmall),
            ("ERR The ID specified in XADD must be greater than 0-0", .xaddIDTooSmall),
            ("ERR no such key", .noSuchKey),
            ("MISCONF Redis is configured to save RDB snapshots", .unavailable),
            ("CLUSTERDOWN The cluster is down", .unavailable),
            ("ERR unknown command 'X'", .other), ("", .other),
        ] as [(String, RedisServerError.Kind)])
    func kinds(message: String, kind: RedisServerError.Kind) {
        #expect(RedisServerError(message: message).kind == kind)
        #expect(RedisServerError(message: message).message == message)
    }
}
