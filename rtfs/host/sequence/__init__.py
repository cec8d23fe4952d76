"""Rules over the history of calls: what must come before one, what it must not follow, totals and counts."""
