-- reads: ledger.refusals
-- grain: one delivery that a run refused
-- parameters: $run_id
SELECT source, file, message, message_id FROM ledger.refusals WHERE run_id = $run_id ORDER BY file
