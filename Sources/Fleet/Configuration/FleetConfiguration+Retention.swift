/// How long the log is kept.
extension FleetConfiguration {
    public var logKeepDays: Int { values.integer("log.keep_days") }
    public var logKeepDaysMax: Int { values.integer("log.keep_days_max") }

    /// What does not go together.
    static func retentionProblems(_ values: ConfigurationSet) -> [ConfigurationProblem] {
        let (days, most) = (values.integer("log.keep_days"), values.integer("log.keep_days_max"))
        guard most != 0, days == 0 || most < days, let entry = values["log.keep_days_max"] else { return [] }
        let allowed = days == 0 ? "0 is allowed while log.keep_days is 0" : "0, or log.keep_days (\(days)) or more is allowed"
        return [ConfigurationProblem(key: entry.key.path, value: entry.text, origin: entry.origin, message: allowed)]
    }
}
