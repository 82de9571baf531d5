-- reads: ledger.batches, ledger.runs
-- grain: one source and the clock of the run that took its last delivery in
SELECT source, max(clock) AS clock FROM ledger.batches JOIN ledger.runs USING (run_id) GROUP BY source
