-- reads: ledger.runs
-- grain: one run
SELECT run, clock, status FROM ledger.runs ORDER BY run_id
