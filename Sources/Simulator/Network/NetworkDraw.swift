import ATProto

/// Draws what accounts do next. Holds no account: the same seed and the same answers give the same draws.
struct NetworkDraw: Sendable {
    enum Event: Sendable { case commit, identity, account, sync }

    let content: ContentConfiguration
    let accounts: Int
    var random: RandomStream

    init(seed: UInt64, content: ContentConfiguration, accounts: Int) {
        self.content = content
        self.accounts = accounts
        random = RandomStream(seed: seed, "events")
    }

    mutating func event() -> Event {
        let drawn = random.unit() * 1_000
        if drawn < content.identityPerThousand { return .identity }
        if drawn < content.identityPerThousand + content.accountPerThousand { return .account }
        if drawn < content.identityPerThousand + content.accountPerThousand + content.syncPerThousand { return .sync }
        return .commit
    }

    /// An account, the first ones more often.
    mutating func account() -> Int {
        var share = random.unit()
        let unit = share
        for _ in 1..<max(Int(content.activitySkew.rounded()), 1) { share *= unit }
        let acting = min(content.actingAccounts ?? accounts, accounts)
        return min(Int(share * Double(acting)), acting - 1)
    }

    mutating func operationCount() -> Int {
        random.chance(0.9) ? 1 : 1 + random.below(content.operationsMax)
    }

    mutating func action() -> RepositoryOperation.Action {
        let drawn = random.unit() * (content.createWeight + content.updateWeight + content.deleteWeight)
        if drawn < content.createWeight { return .create }
        return drawn < content.createWeight + content.updateWeight ? .update : .delete
    }

    mutating func inactiveStatus() -> AccountStatus {
        switch random.below(20) {
        case ..<12: .deactivated
        case ..<17: .takendown
        default: .suspended
        }
    }
}
