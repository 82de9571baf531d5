-- reads: ledger.validation_results
-- grain: one rule of a source, over these deliveries
-- parameters: $batches
SELECT source, rule, CAST(sum(rows_checked) AS BIGINT) AS rows_checked, CAST(sum(rows_failed) AS BIGINT) AS rows_failed
FROM ledger.validation_results
WHERE list_contains($batches, batch_id)
GROUP BY source, rule
ORDER BY source, rule
