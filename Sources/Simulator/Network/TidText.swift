import ATProto

/// The text of a timestamp identifier; the clock's number keeps its lower 10 bits.
func tid(microseconds: Int64, clockID: Int) -> String { TID(microseconds: microseconds, clockID: clockID & 1023).description }
