-- reads: ledger.validation_results, ledger.batches
-- grain: one source, rule and run that had deliveries of the source
-- parameters: $last (run id)
SELECT results.source, rule, CAST(sum(rows_checked) AS BIGINT) AS rows_checked, CAST(sum(rows_failed) AS BIGINT) AS rows_failed,
  CAST(sum(validator_rows_failed) AS BIGINT) AS validator_rows_failed, any_value(judged_by) AS judged_by
FROM ledger.validation_results AS results
JOIN ledger.batches AS batches ON batches.batch_id = results.batch_id
WHERE batches.run_id <= $last
GROUP BY results.source, rule, batches.run_id
ORDER BY results.source, rule, batches.run_id
