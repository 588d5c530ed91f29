import Testing

@testable import Flow

@Suite("A plan of retention")
struct RetentionPlanTests {
    private func verdicts(_ plan: RetentionPlan, needed: Bool, _ ages: [Int]) -> [RetentionPlan.Verdict] {
        ages.map { plan.verdict(RetentionPlan.Day(day: 1000 - $0, isNeeded: needed), today: 1000) }
    }

    @Test("keeps everything where no days are said")
    func forEver() {
        let plan = RetentionPlan(keepDays: 0, keepDaysMax: 5)
        #expect(verdicts(plan, needed: false, [0, 1, 6, 900]) == [.keep, .keep, .keep, .keep])
        #expect(plan.oldest(today: 1000) == nil)
    }

    @Test("drops what is older than its days once no sink needs it, and at the last bound whoever needs it")
    func bounds() {
        let plan = RetentionPlan(keepDays: 3, keepDaysMax: 7)
        #expect(verdicts(plan, needed: false, [-1, 0, 3, 4, 8]) == [.keep, .keep, .keep, .drop, .drop])
        #expect(verdicts(plan, needed: true, [0, 3, 4, 7, 8]) == [.keep, .keep, .overdue, .overdue, .dropAtBound])
        #expect(plan.oldest(today: 1000) == 997)
    }

    @Test("without a last bound a sink that needs a day keeps it; a last bound below the days is the days")
    func noBound() {
        #expect(verdicts(RetentionPlan(keepDays: 3, keepDaysMax: 0), needed: true, [4, 900]) == [.overdue, .overdue])
        #expect(verdicts(RetentionPlan(keepDays: 5, keepDaysMax: 2), needed: true, [5, 6]) == [.keep, .dropAtBound])
    }
}
