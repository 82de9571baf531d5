-- reads: ledger.source_years
-- grain: one source and year of which rows are dated later than the clock: they will count once it has moved on
-- parameters: $clock
SELECT source, year FROM ledger.source_years WHERE waits_until > $clock
