-- table: validation_results
-- grain: one delivery and rule
-- inputs: ledger.readings (of a delivery that was judged again, the newest), ledger.validation_results, ledger.batches, ledger.runs
SELECT batches.source, batches.file, results.rule, results.severity, results.rows_checked, results.rows_failed,
  results.validator_rows_failed, results.judged_by, runs.run
FROM ledger.readings AS readings
JOIN ledger.validation_results AS results ON results.batch_id = readings.batch_id
LEFT JOIN ledger.batches AS batches ON batches.batch_id = results.batch_id
LEFT JOIN ledger.runs AS runs ON runs.run_id = batches.run_id
