import Testing

@testable import Work

@Suite("Room for batches", .timeLimit(.minutes(1))) struct BatchRoomTests {
    private let patience = Duration.seconds(3_600)

    @Test("never lends more than there is, and has it back when a loan goes")
    func bounds() async {
        let room = BatchRoom(bytes: 100)
        var first = await room.loan(60, patience: patience)
        #expect(first?.bytes == 60)
        #expect(room.free == 40)
        #expect(await room.loan(50, patience: .zero) == nil)
        first?.shrink(to: 50)
        let second = await room.loan(50, patience: patience)
        #expect(second?.bytes == 50)
        #expect(room.free == 0)
        first = nil
        #expect(room.free == 50)
        #expect(room.waiting == 0)
    }

    @Test("a loan of more than all is one of all")
    func all() async {
        let room = BatchRoom(bytes: 100)
        let loan = await room.loan(1_000, patience: patience)
        #expect(loan?.bytes == 100)
    }

    @Test("lends in the order in which it was asked: a small wish does not overtake a large one")
    func order() async {
        let room = BatchRoom(bytes: 100)
        var held = await room.loan(90, patience: patience)
        async let large = room.loan(80, patience: patience)
        while room.waiting < 1 { await Task.yield() }
        #expect(held?.bytes == 90)
        // Ten bytes are free.
        #expect(await room.loan(10, patience: .zero) == nil)
        async let small = room.loan(20, patience: patience)
        while room.waiting < 2 { await Task.yield() }
        held = nil
        #expect(await large?.bytes == 80)
        #expect(await small?.bytes == 20)
    }

    @Test("who is cancelled while he waits gets nothing, and those behind him have their turn")
    func cancelled() async {
        let room = BatchRoom(bytes: 100)
        let held = await room.loan(90, patience: patience)
        let impatient = Task { await room.loan(80, patience: patience) }
        while room.waiting < 1 { await Task.yield() }
        async let behind = room.loan(10, patience: patience)
        while room.waiting < 2 { await Task.yield() }
        impatient.cancel()
        #expect(await impatient.value == nil)
        #expect(await behind?.bytes == 10)
        #expect(held?.bytes == 90)
    }

    @Test("of many borrowers at once each has its turn, and nothing is left lent")
    func many() async {
        let room = BatchRoom(bytes: 64)
        let served = await withTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask {
                    guard let loan = await room.loan(1 + number % 64, patience: patience) else { return 0 }
                    await Task.yield()
                    loan.shrink(to: number % 3)
                    #expect(room.free >= 0)
                    return 1
                }
            }
            return await group.reduce(0, +)
        }
        #expect(served == 200)
        #expect(room.free == 64)
    }
}
