-- reads: ledger.delivery_checks, ledger.batches
-- grain: one check of a delivery as a whole that has something to say
-- parameters: $run_id
SELECT checks.batch_id, batches.source, batches.file, check_name, is_good, finding_en, finding_id
FROM ledger.delivery_checks AS checks
JOIN ledger.batches AS batches ON batches.batch_id = checks.batch_id
WHERE batches.run_id = $run_id AND NOT is_good
ORDER BY batches.file, check_name, finding_en
