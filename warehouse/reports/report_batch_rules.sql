-- reads: ledger.validation_results
-- grain: one rule of a delivery
-- parameters: $batch_id
SELECT rule, rows_checked, rows_failed, validator_rows_failed, judged_by FROM ledger.validation_results WHERE batch_id = $batch_id ORDER BY rule
